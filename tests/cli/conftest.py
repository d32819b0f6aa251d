import pytest
from spec_samples import library
from typer.testing import CliRunner

from myelosim.cli import app

SMALL = """\
format = 1
title = "Small"
model = "generic_oral_2cmt_friberg"
days = 42
visits = "d1 weekly"
[population]
size = 16
seed = 2
[[arm]]
name = "[bold] 40 mg"
dose = "drug 40 mg BID d1-14"
[[arm]]
name = "no drug"
dose = "none"
"""


@pytest.fixture
def samples(tmp_path, monkeypatch):
    """A folder with sample files and a small scenario, searched first and worked in."""
    monkeypatch.setenv("MYELOSIM_PATH", str(library(tmp_path)))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenarios" / "small.toml").write_text(SMALL)
    return tmp_path


@pytest.fixture
def myelosim(samples, monkeypatch):
    """Run a command line in the samples' folder on a wide terminal."""
    monkeypatch.setenv("COLUMNS", "220")

    def run(*arguments):
        result = CliRunner().invoke(app, [str(one) for one in arguments])
        assert "Traceback" not in result.output + result.stderr
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run
