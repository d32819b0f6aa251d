"""Whether subjects differ as the model says."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from myelosim.fitting.doubts.evidence import Evidence
from myelosim.fitting.warning import FitWarning

LEAST_SD = 0.02  # of an eta on the log or logit scale: two percent
MOST_SD = 1.5  # on the log scale: a twentyfold range holds two thirds of the subjects
FAR = 4.0  # standard deviations
HALF = 0.5
CHANCE = 0.01
FEW = 3  # subjects with two occasions


def no_variability(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of estimated variances that went to zero."""
    for name, sd, scale in _estimated(seen):
        if sd < LEAST_SD and scale != "identity":
            yield FitWarning(
                "no_variability",
                f"the eta of {name} is at its lower bound, its standard deviation {sd:.2g}: the data do not show that subjects "
                "differ in it; leave this eta out",
            )


def too_variable(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of variances that no population has."""
    for name, sd, scale in _estimated(seen):
        if sd > MOST_SD and scale == "log":
            yield FitWarning(
                "too_variable",
                f"the eta of {name} has a standard deviation of {sd:.3g}: a factor of {np.exp(min(sd, 50.0)):.2g} up or down in "
                "every third subject; the data do not tell of it: leave this eta out, or fix its variance",
            )


def far_off(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of subjects whose etas the model says do not exist."""
    omega, etas = seen.fit.omega, seen.fit.etas
    for name in omega.columns:
        sd = float(np.sqrt(omega.loc[name, name]))
        if sd > LEAST_SD and (far := etas.index[etas[name].abs() > FAR * sd].tolist()):
            worst = float(etas[name].abs().max()) / sd
            yield FitWarning(
                "eta_far_off",
                f"the eta of {name} is {worst:.1f} standard deviations from zero in {', '.join(map(str, far[:5]))}; look at "
                "these subjects' rows for a wrong unit or dose",
            )


def shrunken(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of etas that say little of the subjects."""
    for name, share in seen.shrinkage["sd"].items():
        if share > HALF and np.sqrt(seen.fit.omega.loc[name, name]) >= LEAST_SD:
            yield FitWarning(
                "shrinkage",
                f"the eta of {name} is shrunk by {100 * share:.0f} %: individual values are mostly the typical one, and no "
                "figure of them shows what they depend on; the variance itself may still be right",
            )


def off_center(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of etas whose mean is not zero: the typical value is not that of these subjects."""
    for name, row in seen.shrinkage.iterrows():
        sd = float(np.sqrt(seen.fit.omega.loc[name, name]))
        if row["p"] < CHANCE and sd >= LEAST_SD:
            yield FitWarning(
                "eta_mean",
                f"the etas of {name} are {row['mean'] / sd:+.2f} standard deviations off zero on average (p = {row['p']:.2g}): the "
                "typical value is not that of these subjects; a prior holds it, or subjects are not distributed as said",
            )


def one_occasion(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of differences between occasions that nobody has."""
    names, study = seen.fit.problem.estimation.occasion.names, seen.fit.study
    if not names:
        return
    several = 0
    for who in np.unique(study.observations.subject):
        begins = study.occasions[who] if study.occasions else np.zeros(1)
        times = study.observations.time[study.observations.subject == who]
        several += np.unique(np.searchsorted(begins, times, side="right")).size > 1
    if several < FEW:
        yield FitWarning(
            "one_occasion",
            f"{several} subjects were observed on more than one occasion: what varies between occasions ({', '.join(names)}) "
            "cannot be told from what varies between subjects; leave iov out",
        )


def _estimated(seen: Evidence) -> Iterator[tuple[str, float, str]]:
    """Yield the etas whose variance is estimated: name, standard deviation, scale."""
    estimation = seen.fit.problem.estimation
    for omega, found in ((estimation.omega, seen.fit.omega), (estimation.occasion, seen.fit.occasion)):
        for k, name in enumerate(omega.names):
            if omega.free[k, k]:
                yield name, float(np.sqrt(found.iloc[k, k])), seen.fit.problem.model.parameters[name].scale
