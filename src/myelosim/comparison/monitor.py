"""On which days blood would have to be drawn, and what the protocol's own visits catch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from myelosim.errors import SpecError
from myelosim.monitoring import Calendar, Candidates, Score, candidates, limits, recommend, score
from myelosim.spec.scenario import Recommend, Scenario
from myelosim.trial import Trial

DRAWS = tuple(range(1, 9))
DAILY = 400  # days of a study up to which every day is a candidate
MEASURES = {
    "caught": ("caught", "1", "probability that a draw shows grade 3 or worse during a true episode"),
    "delay": ("delay", "day", "median days from the true onset to the draw that shows it"),
    "nadir": ("nadir_seen", "1", "probability that a draw is within the stated depth of the nadir"),
}
BOUNDS = {"": "", "_low": ", lower bound", "_high": ", upper bound"}


def wanted(scenario: Scenario) -> Recommend:
    """Return what to choose days by."""
    return scenario.recommend or Recommend(draws=DRAWS)


def candidate_days(scenario: Scenario) -> tuple[float, ...]:
    """Return the days among which to choose, and those of the protocol and time zero; none where nothing is counted.

    A grade in percent of baseline is seen only where the baseline is: recommended days take for granted that blood is drawn
    before the first dose.
    """
    if not scenario.model.lineages:
        return ()
    apart = 1 + int(scenario.days) // DAILY
    given = wanted(scenario).candidates or tuple(float(day) for day in range(1, int(scenario.days) + 1, apart))
    return tuple(sorted({0.0, *given, *scenario.visits, *wanted(scenario).fixed}))


def monitor(scenario: Scenario, trials: Sequence[Trial]) -> dict[str, Any]:
    """Choose days per arm on one half of the subjects and score them on the other."""
    asked = wanted(scenario)
    if not trials[0].candidates or min(t.dataset.sizes["subject"] for t in trials) < 2:
        return {}
    lineages = [str(name) for name in trials[0].dataset["lineage"].to_numpy()]
    chosen, own = zip(*(_calendars(scenario, asked, trial) for trial in trials), strict=True)
    draws = sorted({number for found in chosen for number in found})
    if not draws:
        return {}
    day = np.full((len(trials), len(draws), max(len(c.days) for found in chosen for c in found.values())), np.nan)
    for a, found in enumerate(chosen):
        for number, calendar in found.items():
            day[a, draws.index(number), : len(calendar.days)] = calendar.days
    out: dict[str, Any] = {
        "draws": ("draws", np.array(draws), {"long_name": "number of draws chosen"}),
        "monitoring_day": (("arm", "draws", "pick"), day, {"units": "day", "long_name": "recommended day, elapsed"}),
    }
    scores = [[found[k].scores if k in found else {} for k in draws] for found in chosen]
    out |= _measures("monitoring", ("arm", "lineage", "draws"), scores, lineages)
    if scenario.visits:
        out |= _measures("protocol", ("arm", "lineage"), own, lineages)
        about = {"long_name": "draws of the protocol, those before the first dose among them"}
        out["protocol_draws"] = ("arm", np.full(len(trials), len(scenario.visits)), about)
    return out


def _measures(of: str, dims: tuple[str, ...], scores: Any, lineages: Sequence[str]) -> dict[str, Any]:
    """Give what calendars see of each lineage, each measure with its bounds; NaN where a lineage has no score."""
    nested = np.array(scores, dtype=object)
    out = {}
    for name, (attribute, unit, meaning) in MEASURES.items():
        values = np.full((len(nested), len(lineages), *nested.shape[1:], 3), np.nan)
        for arm, *rest in np.ndindex(nested.shape):
            for i, lineage in enumerate(lineages):
                if lineage in nested[arm, *rest]:
                    values[arm, i, *rest] = getattr(nested[arm, *rest][lineage], attribute)
        for k, (suffix, which) in enumerate(BOUNDS.items()):
            out[f"{of}_{name}{suffix}"] = (dims, values[..., k], {"units": unit, "long_name": meaning + which})
    return out


def _calendars(
    scenario: Scenario, asked: Recommend, trial: Trial
) -> tuple[Mapping[int, Calendar], Mapping[str, Score]]:
    """Return an arm's calendars by number of draws, and what the protocol's own visits see of each lineage."""
    subjects = scenario.model.subjects
    courses = {n: c for n, c in trial.candidates.items() if not asked.lineages or n in asked.lineages}
    found = candidates(courses, asked.depth)
    draw = asked.draw if asked.draw is not None else subjects.draw_volume or 0.0
    rules = limits(subjects) if asked.blood == "species" and draw else ()
    allowed = {*asked.candidates, *asked.fixed} if asked.candidates else {float(day) for day in found.days if day > 0}
    choosing, fresh = (_part(found, half, sorted(allowed)) for half in (0, 1))
    every: Mapping[int, Calendar] = {}
    with suppress(SpecError):  # nothing to catch, or no draw among the days and under the blood-volume limits
        every = recommend(
            choosing, fresh, asked.draws, fixed=asked.fixed, draw=draw, limits=rules, nadir_weight=asked.nadir_weight,
        )  # fmt: skip
    watched = scenario.visits and found.event.any()
    return every, score(_part(found, 1, sorted(scenario.visits)), scenario.visits) if watched else {}


def _part(found: Candidates, half: int, days: Sequence[float]) -> Candidates:
    """Return every second subject, and some of the days."""
    rows, places = slice(half, None, 2), found.index(days)
    return replace(
        found, days=found.days[places], event=found.event[rows], onset=found.onset[rows], dips=found.dips[rows],
        hit=found.hit[rows][..., places], alarm=found.alarm[rows][..., places], near=found.near[rows][..., places],
    )  # fmt: skip
