"""``myelosim days``: on which days to draw blood, beside other calendars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelosim.cli.console import add, collected, console, progress, table, warn
from myelosim.cli.figures import day, percent, spread
from myelosim.cli.options import Threads, above_zero, whole

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from myelosim.spec.scenario import Recommend

LONG = 8  # days that are listed one by one


def days(
    scenario: Annotated[str, typer.Argument(help='A scenario\'s name or file; "myelosim scenarios" lists them.')],
    draws: Annotated[
        int | None, typer.Option(parser=whole(1), metavar="N", help="Draws to choose, instead of the scenario's.")
    ] = None,
    within: Annotated[
        float | None, typer.Option(parser=above_zero(3660), metavar="DAYS", help="Days from onset to catch grade 3 in.")
    ] = None,
    gap: Annotated[
        float | None, typer.Option(parser=above_zero(3660), metavar="DAYS", help="Least number of days between draws.")
    ] = None,
    threads: Threads = None,
) -> None:
    """Choose the days on which to draw blood, and compare them with the protocol's own and other calendars."""
    with progress("loading") as told, collected() as said:
        from dataclasses import replace

        from myelosim.comparison import monitoring_days
        from myelosim.spec.scenarios import load_scenario

        held = load_scenario(scenario)
        asked: dict[str, Any] = {"within": within, "gap": gap, "draws": None if draws is None else (draws,)}
        recommend = replace(held.recommend, **{key: value for key, value in asked.items() if value is not None})
        found = monitoring_days(replace(held, recommend=recommend), threads=threads, progress=told)
    out = console()
    out.print(f"{held.title}  ({held.days:g} days, seed {held.seed})", style="bold", markup=False)
    calendars(out, found, recommend)
    warn(out, said)


def calendars(out: Console, rows: pd.DataFrame, asked: Recommend) -> None:
    """Print the rows of :func:`myelosim.comparison.days_table`, a table for each lineage of which anybody is caught."""
    aim = f"in time:\n{asked.within:g} days"
    for lineage, own in rows[rows["in_time"].notna()].groupby("lineage", sort=False):
        listed = table(
            "arm", "calendar", "days, elapsed", "draws", aim, "caught\nat all", "delay,\ndays", "nadir\nmissed by",
            "blood,\nmL", "of the\nlimit", right=("draws",), title=f"Days to draw blood: {lineage}",
        )  # fmt: skip
        arm = ""
        for row in own.to_dict("records"):
            add(
                listed, str(row["arm"]) if row["arm"] != arm else "", str(row["calendar"]), _days(row["days"]),
                f"{row['number']:.3g}", spread(row, "in_time", percent), spread(row, "caught", percent),
                spread(row, "delay", day), spread(row, "miss", percent), f"{row['blood']:.3g}", percent(row["limit"]),
            )  # fmt: skip
            arm = row["arm"]
        out.print(listed)
    if len(rows):
        out.print("\n".join(_notes(rows, asked)), markup=False, style="dim")


def _days(days: list[float]) -> str:
    shown = days if len(days) <= LONG else [*days[:3], ...]
    text = ", ".join("..." if one is ... else f"{one:g}" for one in shown)
    return text if len(days) <= LONG else f"{text}, {days[-1]:g}"


def _notes(rows: pd.DataFrame, asked: Recommend) -> list[str]:
    from myelosim.comparison.monitor import FEWEST

    chosen = rows[rows["draws"].notna()].drop_duplicates("how")
    found = "; ".join(f"{row.calendar}: {row.how}" for row in chosen.itertuples())
    looked = int(rows.groupby(["arm", "calendar"])["looked"].first().max())
    aim = {0.0: "catch grade >= 3 in time", 1.0: "come nearest to the nadir"}.get(asked.nadir_weight, "do both")
    how = f" Days chosen to {aim}, per arm on its {_sizes(rows['chosen_on'])} subjects, all lineages together."
    how += f" {found}; at most {looked:,} sets looked at. None are chosen where fewer than {FEWEST} subjects have an event."
    return [
        "Every calendar also draws before the first dose, which counts in the blood. Draws and blood: mean over subjects; limit: "
        "of whom most is taken, against the strictest limit of the species.",
        f"In time: of the subjects with a true grade >= 3, the share in whom a draw shows it within {asked.within:g} days. Delay: "
        "median, of those caught. Missed: how far the true nadir lies below the lowest true count at a draw, mean.",
        f"Calendars are scored on {_sizes(rows['scored_on'])} subjects who come after the arm's own.{how if found else ''}",
    ]


def _sizes(sizes: pd.Series) -> str:
    return " or ".join(f"{size:,}" for size in sorted(set(sizes)))
