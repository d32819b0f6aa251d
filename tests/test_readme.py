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


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The files that README.md shows, in a folder to work in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for text in blocks("toml"):
        name = text.splitlines()[0].removeprefix("# ")
        assert name.endswith(".toml")
        (tmp_path / name).write_text(text)
    for text in blocks("csv"):
        first, _, rows = text.partition("\n")
        (tmp_path / first.removeprefix("# ")).write_text(rows)
    return tmp_path


def test_python_example(files, capsys):
    (code,) = blocks("python")
    assert len([line for line in code.splitlines() if line]) <= 12
    exec(compile(code, "README.md", "exec"), {})
    assert (files / "subject0.nc").stat().st_size > 0
    assert "Kloft" in capsys.readouterr().out


SHOWN = (("design", "monkeys.toml"), ("fit", "pilot.toml"))  # commands whose output is shown
COMMANDS = dict.fromkeys(
    command for line in re.findall(r"^    myelosim (.*)$", README, re.M)
    if (command := tuple(shlex.split(line, comments=True))) not in SHOWN
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_command_lines(files, command):
    arguments = list(command)
    if arguments[0] == "validate":
        arguments.append("generic_iv_1cmt")
    if arguments[0] in ("compare", "sweep"):
        arguments += ["--no-figure", "--subjects", "32"]
    if arguments[:2] == ["design", "cemsidomide_cynomolgus"]:
        arguments.append("--no-figure")
    if arguments[0] == "fit":
        arguments += ["--no-figure", "--evaluate-only"]
    if arguments[0] == "explain":
        name = Path(arguments[1]).name
        source = f"{name}.toml" if Path(f"{name}.toml").exists() else name
        CliRunner().invoke(app, ["compare", source, "--no-figure", "--subjects", "32"])
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output + done.stderr


@pytest.mark.parametrize(("command", "shown"), list(zip(SHOWN, blocks("text"), strict=True)))
def test_a_command_says_what_is_shown_of_it(files, command, shown):
    done = CliRunner().invoke(app, [*command, "--no-figure"])
    for line in filter(None, shown.splitlines()):
        assert line in done.output


def test_links_lead_somewhere():
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        for target in re.findall(r"\]\(([^)]+)\)", (ROOT / name).read_text(encoding="utf-8")):
            assert target.startswith("https://") or (ROOT / target).exists(), f"{name}: {target}"


def test_contributing_names_what_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for path in re.findall(r"`((?:src|tests|models|scenarios)/[\w./]*)`", text):
        assert "NAME" in path or "KIND" in path or (ROOT / path).exists(), path
