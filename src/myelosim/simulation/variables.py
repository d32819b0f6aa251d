"""Arrays of a run as variables of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from myelosim.endpoints import ENDPOINTS, Course, evaluate
from myelosim.endpoints.toxicity import Definition, toxicity
from myelosim.engine import Run
from myelosim.results import EXTRA, stacked, variable
from myelosim.simulation.steered import Steered
from myelosim.spec.dosing import dose_compartment, dose_factor
from myelosim.spec.entry import COVARIATE_UNITS
from myelosim.spec.model import Model
from myelosim.spec.regimen import DoseEvent

Variables = dict[str, Any]


def trajectories(model: Model, run: Run, shown: np.ndarray) -> Variables:
    """Return counts, other outputs and exposures at the times asked for."""
    out: dict[str, Any] = {}
    if run.tracks:
        counts = [run.tracks[name].count[:, shown] for name in model.lineages]
        out["count"] = variable(("subject", "lineage", "time"), stacked(counts), "", "true count")
        for track in run.tracks.values():
            for name, values in track.outputs.items():
                out[name] = variable(("subject", "time"), values[:, shown], *EXTRA[name])
    if run.concentration:
        every = [c[:, shown] for c in run.concentration.values()]
        out["concentration"] = variable(("subject", "drug", "time"), stacked(every), "", "plasma concentration")
    if run.area:
        none = np.full_like(every[0], np.nan)
        areas = [run.area[name][:, shown] if name in run.area else none for name in run.concentration]
        out["area"] = variable(
            ("subject", "drug", "time"), stacked(areas), "", "area under the concentration so far (x h)"
        )
    if run.concentration:
        out["concentration_unit"] = ("drug", [model.drugs[name].concentration_unit for name in run.concentration])
    return out


def doses(
    model: Model, events: Sequence[DoseEvent], given: np.ndarray, planned: np.ndarray, covariates: Mapping[str, Any]
) -> Variables:
    """Return the interventions: what was given to whom (subject, dose), when, and how much of it was planned (dose)."""
    return {
        "dose_given": variable(("subject", "dose"), given, "", "amount given"),
        "dose_planned": variable(("dose",), planned, "", "amount planned"),
        "dose_time": variable(("dose",), np.array([e.time / 24.0 for e in events]), "day", "days since time zero"),
        "dose_drug": ("dose", np.array([e.drug for e in events], dtype=str)),
        "dose_kind": ("dose", np.array([e.kind for e in events], dtype=str)),
        "dose_duration": variable(
            ("dose",), np.array([e.duration for e in events], float), "h", "duration of an infusion"
        ),
        "dose_route": ("dose", np.array([e.route for e in events], dtype=str)),
        "dose_unit": ("dose", np.array([dose_unit(model, e) for e in events], dtype=str)),
        **_own_units(model, events, len(given), covariates),
    }


def _own_units(model: Model, events: Sequence[DoseEvent], subjects: int, covariates: Mapping[str, Any]) -> Variables:
    """Return what turns amounts into the drug's own unit, and the number of the compartment that they enter."""
    own = [e.is_dose for e in events]
    known = [dose_factor(e, model) if dosed else (1.0, "") for e, dosed in zip(events, own, strict=True)]
    entered = [dose_compartment(e, model) if dosed else 0 for e, dosed in zip(events, own, strict=True)]
    factor, per = np.array([f for f, _ in known], float), np.array([name for _, name in known], dtype=str)
    out: Variables = {
        "dose_factor": variable(("dose",), factor, "", "amount in the drug's own unit over amount given"),
        "dose_per": ("dose", per, {"long_name": "what of the subject's the amount is multiplied by besides"}),
        "dose_compartment": variable(("dose",), np.array(entered, float), "1", "compartment that is dosed, from 1"),
    }
    for name in set(per.tolist()) - {""}:
        values = np.array(np.broadcast_to(covariates[name], np.shape(covariates[name]) or subjects)[:subjects], float)
        out[name] = variable(("subject",), values, COVARIATE_UNITS[name], f"body {name}")
    return out


def dose_unit(model: Model, event: DoseEvent) -> str:
    """Return the unit of an event's amount."""
    return event.unit or (model.drugs[event.drug].amount_unit if event.drug in model.drugs else "")


def judged(
    definition: Definition, courses: Mapping[str, Course], model: Model, events: Sequence[DoseEvent], given: np.ndarray,
    planned: np.ndarray,
) -> Variables:  # fmt: skip
    """Return dose-limiting toxicity, true and as seen, by subject; nothing where the model lacks its lineages."""
    if not any(condition.lineage in courses for condition in definition.conditions):
        return {}
    start = next(iter(courses.values())).start
    opens, closes = (start + edge for edge in definition.window)
    early = np.array([opens <= e.time < closes for e in events], bool)
    intensity = _intensity(model, events, given, np.where(early, planned, 0.0), early)
    verdict = toxicity(
        definition, courses, np.nan_to_num(intensity, nan=1.0)
    )  # where nothing is planned nothing is missed
    about = f"dose-limiting toxicity ({definition.name})"
    return {
        "dlt": variable(("subject",), verdict.true, "1", about),
        "observed_dlt": variable(("subject",), verdict.observed, "1", f"{about}, from visits"),
    }


def _intensity(
    model: Model, events: Sequence[DoseEvent], given: np.ndarray, planned: np.ndarray, which: np.ndarray | bool = True
) -> np.ndarray:
    """Return the dose of the study drugs given over the one planned (subject), of some of the events; NaN where none is planned."""
    study = np.array([e.is_dose and not model.drugs[e.drug].supportive for e in events], bool) & which
    factor = np.array([dose_factor(e, model)[0] if own else 0.0 for e, own in zip(events, study, strict=True)])
    total = float(planned @ factor)
    return np.asarray(given @ factor / total if total else np.full(len(given), np.nan))


def kept(model: Model, events: Sequence[DoseEvent], given: np.ndarray, planned: np.ndarray) -> Variables:
    """Return what became of the plan, by subject: dose intensity, and days with a supportive drug, planned and not."""
    support = np.array([e.drug in model.drugs and model.drugs[e.drug].supportive for e in events], bool)
    day = np.array([np.floor(e.time / 24.0 + 1e-9) for e in events])

    def days(which: np.ndarray) -> np.ndarray:
        out = np.zeros(len(given))
        for one in np.unique(day[which]):
            out += np.any(given[:, which & (day == one)] > 0, axis=1)
        return out

    units = np.array([e.kind == "transfusion" for e in events], bool)
    return {
        "transfused_units": variable(("subject",), given[:, units].sum(axis=1), "1", "units of cells transfused"),
        "dose_intensity": variable(
            ("subject",),
            _intensity(model, events, given, planned),
            "1",
            "dose given over dose planned; NaN where none was planned",
        ),
        "gcsf_days": variable(("subject",), days(support), "day", "days with a supportive drug"),
        "rescue_days": variable(
            ("subject",), days(support & (planned == 0)), "day", "days with a supportive drug that was not planned"
        ),
    }


def decided(steered: Steered, first: int = 0) -> Variables:
    """Return the decision log by decision, and by subject how long drugs were held, who gave up, and what was transfused.

    ``first`` is who the first subject is.
    """
    if steered.clinic is None or steered.held is None:
        return {}
    log, orders = steered.clinic.log.columns(), steered.clinic.orders
    stopped = np.logical_or.reduce([standing.stopped for standing in orders.by_drug.values()])
    dim = ("decision",)
    return {
        "hold_days": variable(("subject",), steered.held / 24.0, "day", "days on which a drug was held or put off"),
        "discontinued": variable(("subject",), stopped.astype(float), "1", "a drug was stopped for good"),
        "reductions": variable(
            ("subject",),
            np.max([s.level for s in orders.by_drug.values()], axis=0).astype(float),
            "1",
            "levels below the plan",
        ),
        "decision_subject": (dim, first + log["subject"]),
        "decision_day": variable(dim, log["day"], "day", "day of the visit"),
        "decision_effect_day": variable(dim, log["effect_day"], "day", "day on which it took effect"),
        "decision_rule": (dim, log["rule"]),
        "decision_action": (dim, log["what"]),
        "decision_occurrence": (dim, log["occurrence"]),
        "decision_seen": variable(("decision", "lineage"), log["seen"], "", "count seen at the visit"),
    }


def endpoints(courses: Mapping[str, Course], seen: bool, cycles: bool) -> Variables:
    """Return the endpoints; those about visits where there are any, those by cycle where there are several."""
    names = [n for n, e in ENDPOINTS.items() if (seen or not e.seen) and (cycles or not e.of)]
    every = [evaluate(course, names) for course in courses.values()]
    out = {}
    for name in names:
        about = ENDPOINTS[name]
        dims = ("subject", "lineage", "cycle") if about.of else ("subject", "lineage")
        unit = {"count": "", "grade": "1", "flag": "1"}.get(about.unit, about.unit)
        out[name] = variable(dims, stacked([own[name] for own in every]), unit, about.meaning)
    return out
