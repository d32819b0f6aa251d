"""The command line: arguments and printing only.

To add a command: a file here with one function, a line in `COMMANDS`, a test in ``tests/cli``. Nothing heavy is imported before a
command runs.
"""

from __future__ import annotations

import typer

from myelosim.cli.cache import cache
from myelosim.cli.compare import compare
from myelosim.cli.days import days
from myelosim.cli.design import design
from myelosim.cli.explain import explain
from myelosim.cli.failure import Guarded
from myelosim.cli.fit import fit
from myelosim.cli.forecast import forecast
from myelosim.cli.models import models
from myelosim.cli.scenarios import scenarios
from myelosim.cli.sensitivity import sensitivity
from myelosim.cli.simulate import simulate
from myelosim.cli.sweep import sweep
from myelosim.cli.validate import validate
from myelosim.cli.version import version

COMMANDS = (
    compare,
    days,
    sweep,
    design,
    fit,
    simulate,
    explain,
    forecast,
    models,
    scenarios,
    sensitivity,
    validate,
    cache,
)

app = typer.Typer(cls=Guarded, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.callback()(version)
for _command in COMMANDS:
    app.command()(_command)


def main() -> None:
    """Run the command line; exits 0, 1 where a check misses, 2 for what a user can mend, 130 when interrupted."""
    app()
