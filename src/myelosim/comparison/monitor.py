"""On which days blood would have to be drawn, and what the protocol's own visits catch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from myelosim.errors import SpecError
from myelosim.monitoring import Calendar, Candidates, candidates, limits, recommend, score
from myelosim.spec.scenario import Recommend, Scenario
from myelosim.trial import Trial

DRAWS = tuple(range(1, 9))
DAILY = 400  # days of a study up to which every day is a candidate
BRISK, PATIENT = (
    1e7,
    1e9,
)  # additions to spend on proving a set of days the best: unasked, and asked for in the scenario
MEASURES = {"caught": "caught", "delay": "delay", "nadir": "nadir_seen"}
MEANINGS = {
    "caught": ("1", "probability that a draw shows grade 3 or worse during a true episode"),
    "delay": ("day", "median days from the true onset to the draw that shows it"),
    "nadir": ("1", "probability that a draw is within the stated depth of the nadir"),
}


def wanted(scenario: Scenario) -> Recommend:
    """Return what to choose days by."""
    return scenario.recommend or Recommend(draws=DRAWS)


def candidate_days(scenario: Scenario) -> tuple[float, ...]:
    """Return the days among which to choose, those of the protocol included; none where nothing is counted."""
    if not scenario.model.lineages:
        return ()
    apart = 1 + int(scenario.days) // DAILY
    given = wanted(scenario).candidates or tuple(float(day) for day in range(1, int(scenario.days) + 1, apart))
    return tuple(sorted({*given, *scenario.visits, *wanted(scenario).fixed}))


def monitor(scenario: Scenario, trials: Sequence[Trial]) -> dict[str, Any]:
    """Choose days per arm on one half of the subjects and score them on the other."""
    asked = wanted(scenario)
    if not trials[0].candidates or min(t.dataset.sizes["subject"] for t in trials) < 2:
        return {}
    lineages = [str(name) for name in trials[0].dataset["lineage"].to_numpy()]
    chosen = [_calendars(scenario, asked, trial) for trial in trials]
    draws = sorted({number for found in chosen for number in found if isinstance(number, int)})
    if not draws:
        return {}
    picks = max((len(c.days) for found in chosen for key, c in found.items() if key != "protocol"), default=0)
    day = np.full((len(trials), len(draws), picks), np.nan)
    for a, found in enumerate(chosen):
        for d, number in enumerate(draws):
            if number in found:
                day[a, d, : len(found[number].days)] = found[number].days
    out: dict[str, Any] = {
        "draws": ("draws", np.array(draws), {"long_name": "number of draws chosen"}),
        "monitoring_day": (("arm", "draws", "pick"), day, {"units": "day", "long_name": "recommended day, elapsed"}),
    }
    for name, attribute in MEASURES.items():
        unit, meaning = MEANINGS[name]
        values = np.full((3, len(trials), len(lineages), len(draws)), np.nan)
        own = np.full((3, len(trials), len(lineages)), np.nan)
        for a, found in enumerate(chosen):
            for i, lineage in enumerate(lineages):
                for d, number in enumerate(draws):
                    if number in found and lineage in found[number].scores:
                        values[:, a, i, d] = getattr(found[number].scores[lineage], attribute)
                if "protocol" in found and lineage in found["protocol"].scores:
                    own[:, a, i] = getattr(found["protocol"].scores[lineage], attribute)
        for suffix, row, mine in zip(("", "_low", "_high"), values, own, strict=True):
            about = {
                "units": unit,
                "long_name": meaning + {"": "", "_low": ", lower bound", "_high": ", upper bound"}[suffix],
            }
            out[f"monitoring_{name}{suffix}"] = (("arm", "lineage", "draws"), row, about)
            if scenario.visits:
                out[f"protocol_{name}{suffix}"] = (("arm", "lineage"), mine, about)
    if scenario.visits:
        drawn = sum(day > 0 for day in scenario.visits)
        out["protocol_draws"] = ("arm", np.full(len(trials), drawn), {"long_name": "draws of the protocol after day 0"})
    return out


def _calendars(scenario: Scenario, asked: Recommend, trial: Trial) -> Mapping[int | str, Any]:
    subjects = scenario.model.subjects
    courses = {n: c for n, c in trial.candidates.items() if not asked.lineages or n in asked.lineages}
    found = candidates(courses, asked.depth)
    draw = asked.draw if asked.draw is not None else subjects.draw_volume or 0.0
    rules = limits(subjects) if asked.blood == "species" and draw else ()
    allowed = {*asked.candidates, *asked.fixed} if asked.candidates else {float(day) for day in found.days if day > 0}
    choosing, fresh = (_part(found, half, sorted(allowed)) for half in (0, 1))
    every: dict[int | str, Any] = {}
    for number in asked.draws:
        try:
            every |= recommend(
                choosing, fresh, number, fixed=asked.fixed, draw=draw, limits=rules, nadir_weight=asked.nadir_weight,
                work=PATIENT if scenario.recommend else BRISK,
            )  # fmt: skip
        except SpecError:
            break  # nothing to catch, or no more draws among the days and under the blood-volume limits
    if scenario.visits and found.event.any():
        own = _part(found, 1, sorted(scenario.visits))
        every["protocol"] = Calendar(scenario.visits, score(own, scenario.visits), False, 0.0)
    return every


def _part(found: Candidates, half: int, days: Sequence[float]) -> Candidates:
    """Return every second subject, and some of the days."""
    rows, places = slice(half, None, 2), found.index(days)
    return replace(
        found, days=found.days[places], event=found.event[rows], onset=found.onset[rows], dips=found.dips[rows],
        hit=found.hit[rows][..., places], alarm=found.alarm[rows][..., places], near=found.near[rows][..., places],
    )  # fmt: skip
