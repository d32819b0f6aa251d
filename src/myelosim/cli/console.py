"""Where a command prints: tables to standard output, progress and warnings beside them."""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from myelosim.errors import MyelosimWarning

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod
    from rich.progress import Progress
    from rich.table import Table
    from rich.text import Text

PATIENCE = 2.0  # s before a progress bar appears
SPARSE = 10.0  # s between lines where there is no terminal for a bar
COLORS = {"published": "green", "transcribed": "cyan", "scaled": "yellow", "fitted": "blue", "assumed": "bold red"}
PIPED = 200  # columns where there is no terminal to ask


def console() -> Console:
    """Return the console of standard output, as wide as the terminal."""
    from rich.console import Console

    piped = "COLUMNS" not in os.environ and not sys.stdout.isatty()
    return Console(width=PIPED if piped else None, highlight=False)


class _Beside(logging.Handler):
    def __init__(self, show: Callable[[str], None], stay: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self.show, self.stay = show, stay

    def emit(self, record: logging.LogRecord) -> None:
        (self.show if record.levelno < logging.WARNING else self.stay)(record.getMessage())


def _show(bar: Progress, over: threading.Event) -> None:
    """Show the bar once it takes long; without a terminal, print now and then what is being done, and since when."""
    if bar.console.is_terminal:
        if not over.wait(PATIENCE):
            bar.start()
        return
    while not over.wait(SPARSE):
        task = bar.tasks[0]
        said = f"{task.elapsed or 0.0:.0f} s: {task.description} {task.fields['logged']}"
        bar.console.print(said.strip(), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(what: str) -> Iterator[Callable[[str, float], None]]:
    """Give a function that is told what is being done and the fraction done; a bar appears once it takes long.

    What the package logs meanwhile, such as that it compiles, stands beside it; what it warns of stays on standard error. Where
    there is no terminal, a line now and then takes the bar's place.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description} {task.fields[logged]}", markup=False), BarColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    task = bar.add_task(what, total=1.0, logged="")
    log = logging.getLogger("myelosim")
    beside = _Beside(
        lambda text: bar.update(task, logged=f"({text})"),
        lambda text: bar.console.print(f"warning: {text}", markup=False, highlight=False, soft_wrap=True),
    )
    level = log.level
    log.addHandler(beside)
    log.setLevel(logging.INFO)
    over = threading.Event()
    shown = threading.Thread(target=_show, args=(bar, over), daemon=True)
    shown.start()
    try:
        yield lambda doing, done: bar.update(task, description=doing, completed=done, logged="")
    finally:
        log.removeHandler(beside)
        log.setLevel(level)
        over.set()
        shown.join()
        if bar.live.is_started:
            bar.stop()


def table(
    *headings: str, right: Collection[str] = (), whole: Collection[str] = (), title: str = "", header: bool = True
) -> Table:
    """Return an empty table; columns in ``right`` are right-aligned, those in ``whole`` are folded last."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    about = Text(title) if title else None
    empty = Table(title=about, title_justify="left", box=box.SIMPLE_HEAD, show_header=header)
    for heading in headings:
        side: JustifyMethod = "right" if heading in right else "left"
        empty.add_column(Text(heading), justify=side, no_wrap=heading in whole, overflow="fold")
    return empty


def add(held: Table, *cells: str | Text) -> None:
    """Add a row; what looks like markup in a cell is printed as it is."""
    from rich.text import Text

    held.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in cells))


def graded(evidence: str) -> Text:
    """Return an evidence in its color."""
    from rich.text import Text

    return Text(evidence, style=COLORS.get(evidence, "dim"))


@contextmanager
def collected() -> Iterator[list[str]]:
    """Collect the package's warnings, for :func:`warn` to show, instead of printing them one by one."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", MyelosimWarning)
        yield said
    for one in caught:
        if issubclass(one.category, MyelosimWarning):
            said.append(str(one.message))
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def warn(out: Console, said: list[str]) -> None:
    """Show warnings in a panel that nobody can miss."""
    from rich import box
    from rich.panel import Panel
    from rich.text import Text

    every = list(dict.fromkeys(said))
    if every:
        text = Text("\n".join(f"! {one}" for one in every))
        out.print(Panel(text, title="BEFORE YOU USE THIS", border_style="bold red", box=box.HEAVY, expand=False))
