"""The table of arms and lineages that ``compare`` and ``simulate`` print."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from myelosim.cli.figures import NONE, day, number, percent, spread

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], str]]

WIDE = 120  # columns of a terminal that has room for long names
LONGEST, SHORTEST = 28, 16  # of the names of arms, before they are folded
GAP = 2  # columns between two columns
EDGES = 3  # columns that a table takes besides


def _recovery(row: Row) -> str:
    shown = spread(row, "recovery_day", day)
    left = row["unrecovered"]
    return f"{shown}\n{percent(left)} not" if left > 0 else shown


COUNTS: Sequence[Column] = (
    ("lineage", lambda r: f"{r['lineage']}\n{r['unit']}"),
    ("nadir,\nmedian", lambda r: spread(r, "nadir", number)),
    ("nadir\nday", lambda r: spread(r, "nadir_day", day)),
    ("days\ngrade>=3", lambda r: day(r["days_grade3"])),
    ("days\ngrade 4", lambda r: day(r["days_grade4"])),
)
SHARES: Sequence[Column] = (
    ("P(grade\n>=3)", lambda r: spread(r, "p_grade3", percent)),
    ("P(grade\n4)", lambda r: spread(r, "p_grade4", percent)),
    ("grade>=3\nat start", lambda r: percent(r["at_baseline"])),
)
AFTER: Sequence[Column] = (
    ("recovery\nday", _recovery),
    ("dose\ngiven", lambda r: percent(r["dose_intensity"])),
)
SEEN: Sequence[Column] = (("P(grade>=3)\nseen", lambda r: spread(r, "p_grade3_seen", percent)),)
OWN: Sequence[Column] = (("caught by\nown visits", lambda r: percent(r["protocol_caught"])),)
DAYS: Sequence[Column] = (
    ("days to draw\nblood, elapsed", lambda r: str(r["recommended_days"]) or NONE),
    ("caught on\nthose days", lambda r: percent(r["recommended_caught"])),
)
OF_THE_ARM = {DAYS[0][0], AFTER[1][0]}
LEFT_ALIGNED = {COUNTS[0][0], DAYS[0][0]}


def overview(out: Console, rows: Sequence[Row], title: str, first: str = "arm") -> None:
    """Print the rows of :func:`myelosim.comparison.summary`, in as many tables as the terminal's width asks for.

    One subject alone has no shares of subjects: those columns are left out.
    """
    if not rows:
        out.print(f"{title}: the model has no lineage; only concentrations were simulated", markup=False)
        return
    alone = all(row["subjects"] == 1 for row in rows)
    columns = [*COUNTS[1:], *(() if alone else SHARES), *AFTER]
    columns += SEEN if "p_grade3_seen" in rows[0] and not alone else ()
    columns += OWN if "protocol_caught" in rows[0] else ()
    columns += DAYS if "recommended_days" in rows[0] else ()
    names = min(max(len(str(row["arm"])) for row in rows), LONGEST if out.width >= WIDE else SHORTEST)
    out.print(f"\n{title}", style="bold", markup=False)
    for part in _parts(rows, columns, out.width - names - EDGES):
        out.print(_table(rows, [COUNTS[0], *part], first, names))


def _parts(rows: Sequence[Row], columns: Sequence[Column], room: int) -> list[list[Column]]:
    """Split the columns so that each part fits beside the lineage."""
    parts: list[list[Column]] = [[]]
    left = room - _width(rows, COUNTS[0])
    for column in columns:
        needed = _width(rows, column)
        if needed > left and parts[-1]:
            parts.append([])
            left = room - _width(rows, COUNTS[0])
        parts[-1].append(column)
        left -= needed
    return parts


def _width(rows: Sequence[Row], column: Column) -> int:
    heading, show = column
    return max(len(line) for text in (heading, *(show(row) for row in rows)) for line in text.split("\n")) + GAP


def _table(rows: Sequence[Row], columns: Sequence[Column], first: str, names: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold", width=max(names, len(first)))
    for heading, _ in columns:
        table.add_column(heading, justify="left" if heading in LEFT_ALIGNED else "right", no_wrap=True)
    arm = None
    for row in rows:
        new = row["arm"] != arm
        if arm is not None and new:
            table.add_section()
        cells = [Text(show(row) if new or heading not in OF_THE_ARM else "") for heading, show in columns]
        table.add_row(Text(str(row["arm"]) if new else ""), *cells)
        arm = row["arm"]
    return table
