from functools import cache

import pytest
from cli_samples import SMALL
from spec_samples import library
from typer import main, testing
from typer.testing import CliRunner

from myelosim.cli import app

testing._get_command = cache(main.get_command)  # the runner would make it anew for each of a thousand commands


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
