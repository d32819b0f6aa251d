import pytest
from spec_samples import library


@pytest.fixture
def samples(tmp_path, monkeypatch):
    """A folder with the sample files, searched first and worked in."""
    monkeypatch.setenv("MYELOSIM_PATH", str(library(tmp_path)))
    monkeypatch.chdir(tmp_path)
    return tmp_path
