"""What README.md shows is what happens."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from myelosim.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"```{kind}\n(.*?)```", README, re.S)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the files that README.md shows, as it shows them, to work in from the first command to the last."""
    made = tmp_path_factory.mktemp("readme")
    for text in [*blocks("toml"), *blocks("csv")]:
        name = text.splitlines()[0].removeprefix("# ")
        assert name.endswith((".toml", ".csv"))
        (made / name).write_text(text)
    return made


@pytest.fixture
def files(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    return folder


def test_python_example(files, capsys):
    (code,) = blocks("python")
    assert len([line for line in code.splitlines() if line]) <= 12
    exec(compile(code, "README.md", "exec"), {})
    assert (files / "subject0.nc").stat().st_size > 0
    assert "Kloft" in capsys.readouterr().out


SHOWN = dict(
    zip((("design", "monkeys.toml"), ("fit", "pilot.toml")), blocks("text"), strict=True)
)  # what is shown of them
COMMANDS = dict.fromkeys(
    tuple(shlex.split(line, comments=True)) for line in re.findall(r"^    myelosim (.*)$", README, re.M)
)


@pytest.mark.parametrize(
    "command", [pytest.param(one, marks=[] if one in SHOWN else pytest.mark.slow, id=" ".join(one)) for one in COMMANDS]
)
def test_commands_one_after_another(files, command):
    """Those before leave what they write, which some read and none may stumble over."""
    arguments = list(command)
    if arguments[0] == "validate":
        arguments.append("generic_iv_1cmt")
    if arguments[0] in ("compare", "sweep"):
        arguments += ["--subjects", "32"]
    if arguments[0] in ("compare", "sweep", "fit", "design"):
        arguments.append("--no-figure")
    if arguments[0] == "fit" and command not in SHOWN:
        arguments.append("--evaluate-only")
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output + done.stderr
    for line in filter(None, SHOWN.get(command, "").splitlines()):
        assert line in done.output


def test_links_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)]+)\)", (ROOT / name).read_text(encoding="utf-8")):
            assert target.startswith("https://") or (ROOT / target).exists(), f"{name}: {target}"


def test_contributing_names_what_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:src|tests|models|scenarios)/[\w./]*)`", text):
        assert "NAME" in path or "KIND" in path or (ROOT / path).exists(), path
