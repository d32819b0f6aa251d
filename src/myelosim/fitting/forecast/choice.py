"""The next draws: what each day, and each set of days, is expected to tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from myelosim.fitting.forecast.ahead import Ahead
from myelosim.fitting.forecast.draws import LEAST, Outlook, Sets
from myelosim.results import variable
from myelosim.simulation.observed import DECIMALS

TARGETS = ("nadir", "nadir_day", "grade3")
OPEN = (0.02, 0.98)  # probabilities between which grade 3 is a question
LITTLE = 0.02  # expected reduction under which no day is worth naming
KEPT = 20  # sets of days
EDGE = 0.5  # probability that the lowest count lies at the first dose or the horizon, over which it is no nadir to draw for


@dataclass(frozen=True)
class Targets:
    """What is to be known: ``values`` (sample, lineage, target), and which of them are ``open`` questions (lineage, target)."""

    lineages: tuple[str, ...]
    names: tuple[str, ...]
    values: np.ndarray
    open: np.ndarray

    @property
    def sd(self) -> np.ndarray:
        """Today's standard deviations (lineage, target)."""
        return np.asarray(np.nanstd(self.values, axis=0, ddof=1))


def targets_of(after: xr.Dataset, at: float | None) -> Targets:
    """Return the targets of a draw; nadirs that no report could show apart count as equal."""
    lineages = tuple(str(name) for name in after["lineage"].to_numpy())
    values, open_ = [], []
    for name in lineages:
        own = after.sel(lineage=name)
        depth = log_seen(own["nadir"].to_numpy(), name)
        grade3 = (own["worst_grade"].to_numpy() >= 3).astype(float)
        each = [depth, own["nadir_day"].to_numpy(), grade3]
        asked = [np.nanstd(each[0]) > LEAST, np.nanstd(each[1]) > LEAST, OPEN[0] < np.mean(grade3) < OPEN[1]]
        if at is not None:
            each.append(log_seen(own["count"].sel(time=np.round(at, 9)).to_numpy(), name))
            asked.append(np.nanstd(each[-1]) > LEAST)
        values.append(np.stack(each, axis=1))
        open_.append(asked)
    names = TARGETS if at is None else (*TARGETS, "count")
    return Targets(lineages, names, np.stack(values, axis=1), np.array(open_))


def asked_of(after: xr.Dataset, criterion: str) -> list[str]:
    """Return the lineages that draws are for; of a nadir, those that turn before the horizon, if any does."""
    every = [str(name) for name in after["lineage"].to_numpy()]
    edge = np.nanmean(after["nadir_at_edge"].to_numpy(), axis=0)
    turning = [name for name, share in zip(every, edge, strict=True) if not share > EDGE]
    return turning or every if criterion in ("forecast", "nadir", "nadir_day") else every


def log_seen(count: np.ndarray, lineage: str) -> np.ndarray:
    """Return logarithms of counts; those under what a report can show are the same."""
    return np.asarray(np.log(np.maximum(count, 10.0 ** -DECIMALS.get(lineage, 3))))


@dataclass(frozen=True)
class Choice:
    """Reads what sets of days tell: of each target, and of what the criterion names."""

    ahead: Ahead
    outlook: Outlook
    targets: Targets
    chosen: tuple[str, ...]
    parameters: int

    def variables(self) -> dict[str, Any]:
        """Return the variables of the forecast that are about the next draws."""
        each, ahead, sd = tuple((k,) for k in range(len(self.ahead.days))), self.ahead, self.targets.sd
        share = self.reduction(each)
        information = self.information(each, share)
        shares = self.reduction(ahead.sets) if ahead.sets != each else share
        told = self.information(ahead.sets, shares) if ahead.sets != each else information
        order = np.argsort(-told, kind="stable")[:KEPT]
        days = np.array([ahead.days[list(ahead.sets[k])] for k in order]).reshape(len(order), -1)
        worth = len(order) > 0 and told[order[0]] > LITTLE
        best = days[0] if worth else np.full(max(days.shape[1], 1), np.nan)
        left = 1.0 - told[order]
        efficiency = np.divide(left[:1], left, out=np.ones_like(left), where=left > 0)
        about = {"forecast": "nadir, its day and grade 3", "count": f"the count on day {ahead.at}"}
        of_whom = "" if ahead.criterion == "D" else f" of {', '.join(self.chosen)}"
        what = f"share of variance that counts are expected to remove: {about.get(ahead.criterion, ahead.criterion)}{of_whom}"
        by, of = ("lineage", "target"), "standard deviation, of a nadir's and a count's logarithm,"
        text = "share of the variance that a count of all lineages on a day is expected to remove"
        return {
            "target_sd": variable(by, np.where(self.targets.open, sd, np.nan), "", f"{of} today"),
            "reduction": variable(("visit", *by), share, "1", text),
            "expected_sd": variable(("visit", *by), sd * np.sqrt(1.0 - share), "", f"{of} expected after the count"),
            "information": variable(("visit",), information, "1", what),
            "choice_days": variable(("choice", "turn"), days, "day", "sets of days, the best first"),
            "choice_information": variable(("choice",), told[order], "1", what),
            "choice_efficiency": variable(("choice",), efficiency, "1", "variance left by the best set over that left"),
            "choice_sd": variable(("choice", *by), sd * np.sqrt(1.0 - shares[order]), "", f"{of} expected after all counts"),
            "next_draws": variable(("turn",), best, "day", "days after now whose counts are expected to tell most"),
            "next_draw": variable((), float(best[0]), "day", "the first of them"),
        }  # fmt: skip

    def reduction(self, sets: Sets) -> np.ndarray:
        """Return the share of each target's variance that sets of days take away (set, lineage, target)."""
        share = self.outlook.reduction(sets).reshape(len(sets), *self.targets.open.shape)
        return np.where(self.targets.open, share, np.nan)

    def information(self, sets: Sets, share: np.ndarray) -> np.ndarray:
        """Return the share of variance that sets of days take away from what the criterion names (set)."""
        if self.ahead.criterion == "D":
            return np.nan_to_num(-np.expm1(-2.0 * self.outlook.gain(sets) / self.parameters))
        asked = TARGETS if self.ahead.criterion == "forecast" else (self.ahead.criterion,)
        rows = [k for k, name in enumerate(self.targets.lineages) if name in self.chosen]
        columns = [self.targets.names.index(name) for name in asked]
        own = share[:, rows][:, :, columns]
        known = np.isfinite(own)
        return np.asarray(np.where(known, own, 0.0).sum(axis=(1, 2)) / np.maximum(known.sum(axis=(1, 2)), 1))
