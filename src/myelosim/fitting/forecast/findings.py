"""What must be known beside the numbers of a forecast."""

from __future__ import annotations

import numpy as np
import xarray as xr

from myelosim.data.study import MEASURED

HARDLY = 3.0  # standard deviations of an observation from the model at the mode, or of a parameter from the population
DECIDED = 0.85  # of the population's spread that is left of the logarithm of the nadir
UNKNOWN = 0.9  # of the population's variance that is left of a parameter
PASSED = 0.9  # probability
FEW = 0.2  # effective samples over those asked for


def findings(result: xr.Dataset) -> tuple[list[str], list[str]]:
    """Return what the data do to the forecast, and what is a warning."""
    if not result.sizes["observation"]:
        return [
            "there are no counts: this is what the population does under these doses, and tells nothing of this subject"
        ], []
    said = [text for name in map(str, result["lineage"].to_numpy()) for text in _of_lineage(result, name)]
    names = [str(name) for name in result["parameter"].to_numpy()]
    left = result["shrinkage"].to_numpy()
    if unknown := [name for name, share in zip(names, left, strict=True) if share > UNKNOWN]:
        said.append(f"the prior decides over {', '.join(unknown)}: the counts tell next to nothing of them")
    return said, [*_hardly(result), *_far(result, names), *_few(result)]


def _of_lineage(result: xr.Dataset, name: str) -> list[str]:
    own, now, said = result.sel(lineage=name), float(result.attrs["now"]), []
    passed, left, edge = (float(own[key]) for key in ("p_passed", "nadir_left", "p_at_edge"))
    if now > 0 and passed >= PASSED:
        said.append(f"{name}: the nadir has passed by day {now:g}, with a probability of {100 * passed:.0f} %")
    if left > DECIDED:
        share = 100 * min(left, 1.0)
        said.append(f"{name}: the population decides; the counts leave {share:.0f} % of the spread of its nadir")
    if edge > 1.0 - PASSED:
        told = (
            f"{name}: in {100 * edge:.0f} % of what is possible the lowest count lies at the first dose or the horizon"
        )
        without = name not in result.attrs["asked_of"].split(", ")
        said.append(told + "; draws are chosen for other lineages (--lineage, lineages=[...] name them)" * without)
    return said


def _hardly(result: xr.Dataset) -> list[str]:
    """Name the observations that even the best fit leaves far off."""
    said, far = [], result["seen_residual"].to_numpy()
    for k in np.flatnonzero((np.abs(far) > HARDLY) & (result["seen_censored"].to_numpy() == MEASURED)):
        one = result.isel(observation=k)
        what = f"{one['seen_of'].item()} {float(one['seen']):g} on day {float(one['seen_day']):g}"
        said.append(
            f"row {int(one['seen_row'])}: {what} is hardly believed by the model ({far[k]:+.1f} standard deviations even at the "
            "best fit); check it, its unit and its hour"
        )
    return said


def _far(result: xr.Dataset, names: list[str]) -> list[str]:
    return [
        f"{name} would lie {eta:+.1f} standard deviations from the typical subject: this subject may be of another population"
        for name, eta in zip(names, result["eta"].to_numpy(), strict=True) if abs(eta) > HARDLY
    ]  # fmt: skip


def _few(result: xr.Dataset) -> list[str]:
    worth, asked = float(result.attrs["effective_samples"]), int(result.attrs["samples"])
    if worth >= FEW * asked:
        return []
    return [f"the forecast rests on {worth:.0f} effective samples only; ask for more, or look at rows hardly believed"]
