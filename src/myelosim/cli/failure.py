"""What a user can mend ends with a message and a code, never with a traceback."""

from __future__ import annotations

import errno
import re
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from myelosim.errors import MyelosimError

USAGE = 2
INTERRUPTED = 130
NEGATIVE = re.compile(r"-[\d.]+(?!e[-+\d])\s*[A-Za-z]")


class Guarded(TyperGroup):
    """A group of commands whose errors are one message on standard error."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line; a negative dose would look like an option."""
        for one in args:
            if NEGATIVE.match(one):
                _end(f"dose '{one}': an amount is 0 or more")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command named."""
        try:
            return super().invoke(ctx)
        except MyelosimError as error:
            _end(str(error))
        except MemoryError:
            _end("there is not enough memory for so many subjects and times; ask for fewer with --subjects or --days")
        except KeyboardInterrupt:
            _end("interrupted; nothing was written", INTERRUPTED)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            place = f"{error.filename}: " if error.filename else ""
            _end(f"{place}{error.strerror or error}")


def _end(message: str, code: int = USAGE) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(code)
