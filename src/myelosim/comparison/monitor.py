"""On which days blood would have to be drawn, and what the protocol's own visits and other calendars catch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from myelosim.endpoints import Course
from myelosim.errors import SpecError
from myelosim.monitoring import (
    Candidates,
    Chosen,
    Score,
    candidates,
    choose,
    drawn,
    limits,
    score,
    share,
    windows_of,
    worth,
)
from myelosim.spec.recommend import candidate_days
from myelosim.spec.scenario import Arm, Calendar, Scenario
from myelosim.trial import Trial, run_arm

OWN = "own visits"
MOST_FRESH = 2000  # subjects: they bound a percentage to 2 %, and cost no more than an arm of as many
FEWEST = 5  # subjects with an event, for days to be chosen by them
SEEN = 1e-3  # relative error of the fresh subjects' counts
MEASURES = {
    "in_time": ("1", "probability that a draw shows grade 3 or worse within so many days of its true onset"),
    "caught": ("1", "probability that a draw shows grade 3 or worse during a true episode, however late"),
    "delay": ("day", "median days from the true onset to the draw that shows it"),
    "miss": ("1", "mean fraction by which the true nadir lies below the lowest true count at a draw"),
}
BURDEN = {
    "number": ("1", "draws after that of the baseline, mean over subjects"),
    "blood": ("mL", "blood drawn, the baseline's among it, mean over subjects"),
    "limit": ("1", "blood drawn over what the strictest limit allows, of the subject who gives most"),
}
BOUNDS = {"": "", "_low": ", lower bound", "_high": ", upper bound"}


@dataclass(frozen=True)
class _Row:
    """A calendar as it is in one arm."""

    scores: Mapping[str, Score] = field(default_factory=dict)
    burden: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    days: tuple[float, ...] = ()
    how: str = ""
    looked: int = 0


def looked_at(scenario: Scenario) -> tuple[float, ...]:
    """Return every elapsed day on which some calendar may draw, time zero among them; none where nothing is counted.

    A grade in percent of baseline is seen only where the baseline is: every calendar draws before the first dose.
    """
    if not scenario.model.lineages:
        return ()
    asked = scenario.recommend
    every = {0.0, *candidate_days(asked, scenario.days), *scenario.visits, *asked.fixed}
    for calendar in asked.calendars.values():
        every |= {*calendar.days, *(range(int(scenario.days) + 1) if calendar.until_recovery else ())}
    return tuple(sorted(map(float, every)))


def fresh_courses(scenario: Scenario, arm: Arm, threads: int | None = None) -> Mapping[str, Course]:
    """Simulate as many subjects as an arm has, none of whom is in it, for what draws would show of them.

    They are those that come next in a larger population of the same seed, of large arms the first `MOST_FRESH` of them. Their
    counts are looked at as a clinic sees them, so an error of one in a thousand is enough, and visits that decide nothing are left
    out.
    """
    size = arm.size or scenario.size
    few = replace(
        scenario, tolerance=max(scenario.tolerance, SEEN), visits=scenario.visits if arm.rules else (), lineages=()
    )
    return run_arm(
        few, arm, looked_at(scenario), part=(size, min(size, MOST_FRESH)), daily=False, threads=threads
    ).candidates


def monitor(
    scenario: Scenario, trials: Sequence[Trial], threads: int | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Choose days per arm, score them and other calendars on fresh subjects, and say why where none can be had."""
    if not trials[0].candidates or min(t.dataset.sizes["subject"] for t in trials) < 2:
        return {}, []
    lineages = [str(name) for name in trials[0].dataset["lineage"].to_numpy()]
    named = ({OWN: Calendar(scenario.visits)} if scenario.visits else {}) | dict(scenario.recommend.calendars)
    arms = [_arm(scenario, trial, named, threads) for trial in trials]
    said = list(dict.fromkeys(text for *_, text in arms if text))
    draws = sorted({number for chosen, *_ in arms for number in chosen})
    out: dict[str, Any] = {}
    if draws:
        out["draws"] = ("draws", np.array(draws), {"long_name": "number of draws chosen"})
        rows = [[chosen.get(number, _Row()) for number in draws] for chosen, *_ in arms]
        out |= _variables("monitoring", "draws", rows, lineages)
        for name, kind, meaning in (("how", str, "how it was found"), ("looked", int, "sets of days looked at")):
            values = np.array([[getattr(row, name) for row in own] for own in rows], dtype=kind)
            out[f"monitoring_{name}"] = (("arm", "draws"), values, {"long_name": meaning})
    if any(others for _, others, *_ in arms):
        out["calendar"] = ("calendar", np.array(list(named), dtype=str))
        rows = [[others.get(name, _Row()) for name in named] for _, others, *_ in arms]
        out |= _variables("calendar", "calendar", rows, lineages)
    about = {"long_name": "fresh subjects on whom calendars are scored"}
    out["monitoring_fresh"] = ("arm", np.array([fresh for *_, fresh, _ in arms]), about)
    return out, said


def _variables(of: str, dim: str, rows: Sequence[Sequence[_Row]], lineages: Sequence[str]) -> dict[str, Any]:
    """Give what calendars (arm, calendar) see and cost, as variables; NaN where an arm or a lineage has none."""
    shape = (len(rows), len(rows[0]))
    day = np.full((*shape, max((len(row.days) for own in rows for row in own), default=0)), np.nan)
    seen = np.full((len(MEASURES), len(BOUNDS), shape[0], len(lineages), shape[1]), np.nan)
    for a, k in np.ndindex(shape):
        row = rows[a][k]
        day[a, k, : len(row.days)] = row.days
        for i, lineage in enumerate(lineages):
            if lineage in row.scores:
                seen[:, :, a, i, k] = [getattr(row.scores[lineage], name) for name in MEASURES]
    picks = "pick" if dim == "draws" else "visit_of_calendar"
    about = {"units": "day", "long_name": "elapsed day of a draw after the baseline's"}
    out: dict[str, Any] = {f"{of}_day": (("arm", dim, picks), day, about)}
    for k, (name, (unit, meaning)) in enumerate(BURDEN.items()):
        values = np.array([[row.burden[k] for row in own] for own in rows])
        out[f"{of}_{name}"] = (("arm", dim), values, {"units": unit, "long_name": meaning})
    for m, (name, (unit, meaning)) in enumerate(MEASURES.items()):
        for b, (end, which) in enumerate(BOUNDS.items()):
            out[f"{of}_{name}{end}"] = (
                ("arm", "lineage", dim), seen[m, b], {"units": unit, "long_name": meaning + which},
            )  # fmt: skip
    return out


def _arm(
    scenario: Scenario, trial: Trial, named: Mapping[str, Calendar], threads: int | None
) -> tuple[dict[int, _Row], dict[str, _Row], int, str]:
    """Return an arm's chosen and other calendars, the number of fresh subjects, and why no days could be chosen."""
    asked, subjects = scenario.recommend, scenario.model.subjects
    own = _watched(scenario, trial.candidates)
    if not _anything(scenario, own):
        return {}, {}, 0, ""
    fresh = _watched(scenario, fresh_courses(scenario, trial.arm, threads))
    if not _anything(scenario, fresh):  # days chosen for the few who do are no advice for the others
        return {}, {}, len(fresh.onset), ""
    draw = asked.draw if asked.draw is not None else subjects.draw_volume or 0.0
    rules = limits(subjects) if asked.blood == "species" and draw else ()
    chosen: Mapping[int, Chosen] = {}
    said = ""
    events = int((~np.isnan(own.onset)).any(axis=-1).sum())
    enough = asked.nadir_weight == 1.0 or events >= FEWEST
    try:
        chosen = {} if not enough else choose(
            worth(own, asked.within, asked.nadir_weight), own.days, asked.draws, anyway=own.index((0.0, *asked.fixed)).tolist(),
            windows=windows_of(rules, draw, asked.gap), among=own.index(candidate_days(asked, scenario.days)).tolist(),
        )  # fmt: skip
    except SpecError as error:
        said = str(error)

    def row(calendar: Calendar, how: str = "", looked: int = 0) -> _Row:
        draws = drawn(fresh, calendar)
        number = float(draws[:, fresh.days > 0].sum(axis=1).mean())
        burden = (number, draw * (number + 1) if draw else np.nan, share(draws, fresh.days, draw, rules))
        days = tuple(day for day in calendar.days if day > 0)
        return _Row(score(fresh, draws, asked.within), burden, days, how, looked)

    best = {number: row(Calendar(one.days), one.how, one.looked) for number, one in chosen.items()}
    return best, {name: row(calendar) for name, calendar in named.items()}, len(fresh.onset), said


def _watched(scenario: Scenario, courses: Mapping[str, Course]) -> Candidates:
    wanted = scenario.recommend.lineages or scenario.lineages
    return candidates({name: course for name, course in courses.items() if not wanted or name in wanted})


def _anything(scenario: Scenario, found: Candidates) -> bool:
    """Tell whether there is anything to choose by."""
    return scenario.recommend.nadir_weight == 1.0 or bool((~np.isnan(found.onset)).any())
