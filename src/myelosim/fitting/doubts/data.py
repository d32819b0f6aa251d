"""Whether the data can tell what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from myelosim.data.study import BELOW
from myelosim.fitting.doubts.evidence import BEYOND, Evidence
from myelosim.fitting.warning import FitWarning

SOME = 0.25  # of the subjects
DEEPER = 0.9  # a nadir still to come is below so much of what was the lowest until then
DIPS = 0.8  # and below so much of the count at time zero
MANY = {"m3": 0.2, "m1": 0.05}  # shares of values below the limit
LEAST_SHARE = 0.01  # of the values, that their errors are at least


def before_nadir(seen: Evidence) -> Iterator[FitWarning]:
    """Warn where draws end before the count is lowest."""
    study, last = seen.fit.study, _last(seen)
    lineages = set(study.observables) - set(seen.fit.problem.model.drugs)
    dosed = {name for name, events in zip(study.subjects, study.doses, strict=True) if events}
    for observable in sorted(lineages):
        own = seen.courses[seen.courses["observable"] == observable]
        late: dict[str, list[float]] = {"individual": [], "population": []}
        courses = [(who, one) for who, one in own.groupby("subject", sort=False) if who in dosed]
        for who, course in courses:
            for curve, hours in late.items():
                when = _to_come(course, curve, last[who, observable])
                if when is not None:
                    hours.append(when - last[who, observable])
        worst = max(late.values(), key=len)
        if courses and len(worst) > SOME * len(courses):
            yield FitWarning(
                "before_nadir",
                f"draws of {observable} end before the predicted nadir in {len(worst)} of {len(courses)} dosed subjects "
                f"({np.median(worst) / 24:.1f} days too early, median): its depth and the recovery rest on the model, not on "
                "data; draw later, or take feedback and transit time from the literature",
            )


def _last(seen: Evidence) -> dict[tuple[object, object], float]:
    observations, subjects = seen.fit.study.observations, seen.fit.study.subjects
    table = pd.DataFrame(
        {"who": observations.subject, "observable": observations.observable, "time": observations.time}
    )
    found = table.groupby(["who", "observable"])["time"].max()
    return {(subjects[who], str(name)): float(hour) for (who, name), hour in found.items()}


def _to_come(course: pd.DataFrame, curve: str, last: float) -> float | None:
    """Return the hour of a nadir after the last draw, where there is one that matters and the curve turns."""
    time, count = course["time"].to_numpy(float), course[curve].to_numpy(float)
    if not np.isfinite(count).all():
        return None
    k = int(np.argmin(count))
    until = count[time <= last]
    deeper = time[k] > last and count[k] < DEEPER * until.min() and count[k] < DIPS * count[0]
    return float(time[k]) if deeper and time[k] < last + 0.99 * BEYOND else None


def censored(seen: Evidence) -> Iterator[FitWarning]:
    """Warn where much is below the limit of quantification."""
    observations, blq = seen.fit.study.observations, seen.fit.problem.estimation.blq
    for name in seen.fit.study.observables:
        own = observations.observable == name
        share = float((observations.censored[own] == BELOW).mean())
        if share == 1.0:
            yield FitWarning(
                "all_censored",
                f"every value of {name} is below its limit ({int(own.sum())} of {int(own.sum())}): no value says how low it is; "
                "leave it out, or fix what concerns it alone",
            )
        elif share > MANY[blq]:
            what = (
                "their chance counts (M3), which rests on the error model far below the limit"
                if blq == "m3"
                else "they were left out (M1), which makes nadirs look shallow: give blq m3"
            )
            yield FitWarning(
                "censored", f"{100 * share:.0f} % of {name} are below their limit of quantification; {what}"
            )


def few_values(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of no more values than there are estimates without a prior."""
    fit, blq = seen.fit, seen.fit.problem.estimation.blq
    believed = sum(theta.prior is not None for theta in fit.problem.estimation.thetas)
    observations, estimates = fit.study.observations, len(fit.x) - believed
    values = len(observations) if blq == "m3" else int((observations.censored != BELOW).sum())
    if values <= estimates:
        yield FitWarning(
            "few_values",
            f"{estimates} estimates{' without a prior' if believed else ''} from {values} values: any so many can be met, and "
            "neither the estimates nor their errors mean anything; estimate less, or give priors",
        )


def no_error(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of estimated errors that went to zero."""
    observations = seen.fit.study.observations
    for sigma, value in zip(seen.fit.problem.estimation.sigmas, seen.fit.point.sigma, strict=True):
        observable, _, term = sigma.name.rpartition(".")
        own = np.abs(observations.value[observations.observable == observable])
        size = float(np.median(own)) if term == "additive" and own.size else 1.0
        if sigma.free and term in ("additive", "proportional", "log_sd", "sd") and value < LEAST_SHARE * size:
            yield FitWarning(
                "no_error",
                f"{sigma.name} is zero ({value:.2g}): the model follows every value, or another term says it all; leave this "
                "term out, or estimate fewer etas",
            )


def unpredicted(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of rows that cannot be predicted."""
    rows = seen.rows
    bad = rows.loc[~np.isfinite(rows[["individual", "population"]]).all(axis=1), "subject"].unique().tolist()
    if bad:
        yield FitWarning(
            "unpredicted",
            f"{len(bad)} subjects could not be predicted at the estimates ({', '.join(map(str, bad[:5]))}); look at their doses "
            "and at the fitted parameters",
        )
