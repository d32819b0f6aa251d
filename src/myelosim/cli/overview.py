"""The table of arms and lineages that ``compare`` and ``simulate`` print, and the notes below it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from myelosim.cli.figures import NONE, day, number, percent, spread

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod
    from rich.table import Table

    from myelosim.spec.model import Model

Row = Mapping[str, Any]

LONGEST, SHORTEST = 28, 12  # of the names of arms, before they are folded
DAYS_WIDE = 12  # of a list of days, before it is folded
GAP = 2  # columns between two columns
EDGES = 3  # columns that a table takes besides


@dataclass(frozen=True)
class Column:
    """A heading, what stands under it, and of which statistic over the subjects that is."""

    heading: str
    show: Callable[[Row], str]
    statistic: str = ""
    justify: JustifyMethod = "right"
    of_the_arm: bool = False
    wide: bool = False  # shown only where all columns are asked for


LINEAGE = Column("lineage", lambda r: f"{r['lineage']}\n{r['unit']}", justify="left")
DEPTH = (
    Column("nadir", lambda r: spread(r, "nadir", number), "median"),
    Column("nadir\nday", lambda r: day(r["nadir_day"]), "median"),
    Column("days\ngrade\n>=3", lambda r: day(r["days_grade3"]), "mean"),
    Column("days\ngrade\n4", lambda r: day(r["days_grade4"]), "mean"),
)
SHARES = (
    Column("P(grade\n>=3)", lambda r: spread(r, "p_grade3", percent)),
    Column("P(grade\n4)", lambda r: spread(r, "p_grade4", percent)),
    Column("grade>=3\nat start", lambda r: percent(r["at_baseline"]), wide=True),
)
OBSERVED = Column("P(grade>=3)\nobserved", lambda r: spread(r, "p_grade3_seen", percent), wide=True)
RECOVERY = Column("recovery\nday", lambda r: recovered(r, day(r["recovery_day"])), "median")
RECOVERY_OF_ONE = Column(
    "recovery\nday", lambda r: "not by\nthe end" if r["unrecovered"] > 0 else day(r["recovery_day"])
)
BOUNDS = (
    Column("95 % of\nnadir day", lambda r: between(r, "nadir_day", day), wide=True),
    Column("95 % of\nrecovery", lambda r: between(r, "recovery_day", day), wide=True),
)
DOSE = Column("dose\ngiven", lambda r: percent(r["dose_intensity"]), "mean", of_the_arm=True)
OWN = Column("in time by\nown visits", lambda r: spread(r, "protocol_caught", percent), wide=True)
DAYS = (
    Column("days to\ndraw blood,\nelapsed", lambda r: days(r["recommended_days"]), justify="left", of_the_arm=True),
    Column("in time\nthen", lambda r: spread(r, "recommended_caught", percent)),
)


def recovered(row: Row, when: str) -> str:
    r"""Return a day of recovery over the share of subjects who have not recovered.

    Examples
    --------
    >>> print(recovered({"unrecovered": 0.25}, "75.6"))
    75.6
    25 % not
    >>> recovered({"unrecovered": 1.0}, "-"), recovered({"unrecovered": 0.0}, "20.0")
    ('not by\nthe end', '20.0')
    """
    share = row["unrecovered"]
    return "not by\nthe end" if share == 1 else f"{when}\n{percent(share)} not" if share > 0 else when


def between(row: Row, name: str, show: Callable[[float], str]) -> str:
    """Return an interval alone."""
    return spread(row, name, show).partition("\n")[2] or NONE


def days(text: str) -> str:
    """Return days in lines of a few."""
    return textwrap.fill(text, DAYS_WIDE) or NONE


def alike(models: Iterable[Model]) -> bool:
    """Tell whether all subjects of the models are the typical one."""
    return not any(one.omega_sd for model in models for one in model.parameters.values())


def who(subjects: Iterable[int], same: bool) -> str:
    """Return of whom a table speaks.

    Examples
    --------
    >>> who([1000, 10], False), who(range(51, 65), False), who([1], False), who([1000], True)
    ('10 or 1,000 subjects', '51 to 64 subjects', '1 subject', 'no between-subject variability: typical subject')
    """
    sizes = sorted(set(subjects))
    if same:
        return "no between-subject variability: typical subject"
    ends = (" or " if len(sizes) < 3 else " to ").join(f"{size:,}" for size in dict.fromkeys((sizes[0], sizes[-1])))
    return f"{ends} subject{'' if sizes == [1] else 's'}"


def overview(
    out: Console, rows: Sequence[Row], title: str, first: str = "arm", *, single: bool = False, wide: bool = False
) -> None:
    """Print the rows of :func:`myelosim.comparison.summary`, in as many tables as the terminal's width asks for.

    ``single``: each row is of one subject, of which there are no shares, medians or intervals. ``wide``: all columns.
    """
    if not rows:
        out.print(f"{title}: the model has no lineage; only concentrations were simulated", markup=False)
        return
    if single:
        rows = [{key: value for key, value in row.items() if not key.endswith(("_low", "_high"))} for row in rows]
    columns = [column for column in _columns(rows[0], single) if wide or not column.wide]
    room = out.width - EDGES - sum(_width(rows, column) for column in (LINEAGE, *columns))
    names = min(max(len(str(row["arm"])) for row in rows), LONGEST, max(SHORTEST, room))
    out.print(f"\n{title}", style="bold", markup=False)
    for part in _parts(rows, columns, out.width - names - EDGES):
        out.print(_table(rows, [LINEAGE, *part], first, names))


def notes(
    out: Console, rows: Sequence[Row], grading: str, *, single: bool, wide: bool = False, started: bool = False
) -> None:
    """Print what the columns mean; ``started``: some count begins off its baseline."""
    from myelosim.spec.grading import load_grading

    if not rows:
        return
    table = load_grading(grading)
    lines = [
        f'Grades: {table.title or table.name}, of the true counts; "-": nothing to show, or no number for that grade in the table.',
        "Days are elapsed days since time zero: study day d1 is day 0, study day d8 is day 7.",
        "Recovery: the day of lasting return to grade <= 1 after the last grade 3"
        + ("." if single else "; not: share of those with a grade 3 who have not returned by the end."),
    ]
    if not single:
        lines.insert(
            0, "Under an estimate its 95 % interval, for the number of subjects only, not for what the model assumes."
        )
        if "p_grade3_all_low" in rows[0]:
            lines[0] += (
                " In brackets: with what the errors of the parameters' values add, as far as the model states them."
            )
        lines[1] += " Mean days at a grade: 0 for subjects who never reach it."
    if "p_grade3_seen" in rows[0] and not single and wide:
        lines.append(
            "Observed: at the visits, with the scatter of counting and analyzer, so that a count may look like grade 3 and not be."
        )
    if started:
        lines.append(
            "Start: only what circulates begins off the baseline; precursors are at rest and bring it back as fast as cells turn "
            "over. Nadir, days and true grades include the moment of the first dose; blood drawn by then is the observed "
            "baseline, which observed grades leave out."
        )
    if not single and not wide:
        lines.append("More columns: --wide.")
    out.print("\n".join(lines), markup=False, style="dim")


def _columns(row: Row, single: bool) -> list[Column]:
    seen = (OBSERVED,) if "p_grade3_seen" in row else ()
    columns = [*DEPTH, RECOVERY_OF_ONE] if single else [*DEPTH, *SHARES, *seen, RECOVERY, *BOUNDS]
    columns += (DOSE,) if "dose_intensity" in row else ()
    columns += (OWN,) if "protocol_caught" in row else ()
    columns += DAYS if "recommended_days" in row else ()
    return [replace(column, statistic="") for column in columns] if single else columns


def _parts(rows: Sequence[Row], columns: Sequence[Column], room: int) -> list[list[Column]]:
    """Split the columns so that each part fits beside the lineage."""
    parts: list[list[Column]] = [[]]
    left = room - _width(rows, LINEAGE)
    for column in columns:
        needed = _width(rows, column)
        if needed > left and parts[-1]:
            parts.append([])
            left = room - _width(rows, LINEAGE)
        parts[-1].append(column)
        left -= needed
    return parts


def _width(rows: Sequence[Row], column: Column) -> int:
    texts = (column.heading, column.statistic, *(column.show(row) for row in rows))
    return max(len(line) for text in texts for line in text.split("\n")) + GAP


def _table(rows: Sequence[Row], columns: Sequence[Column], first: str, names: int) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column(first, overflow="fold", width=max(names, len(first)))
    for column in columns:
        heading = f"{column.heading}\n{column.statistic}".rstrip()
        table.add_column(heading, justify=column.justify, no_wrap=True)
    arm = None
    for row in rows:
        new = row["arm"] != arm
        if arm is not None and new:
            table.add_section()
        cells = [Text(column.show(row) if new or not column.of_the_arm else "") for column in columns]
        table.add_row(Text(str(row["arm"]) if new else ""), *cells)
        arm = row["arm"]
    return table
