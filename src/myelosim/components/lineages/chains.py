"""What the precursor-driven lineages share: n precursors, a chain of ages in the blood, and a feedback on production.

    births = turnover * production * min(w, cap)                 precursors = "production"
    births = ktr * R_1 * production * min(w, cap)                precursors = "self_renewing"
    R_1'   = births - ktr * maturation * R_1                     and so on down the chain
    release = ktr * maturation * egress * R_n
    A_1'   = release - m/residence * loss * A_1                  and so on through m ages
    w      = (base / sum of A)**gamma,  ktr = n / mtt,  turnover = base / residence

With one age cells die at random (exponential survival); with many each lives close to ``residence``. A ``loss``
factor of 1 + E makes them age that much faster, which at its onset is a random loss of E / residence. A
self-renewing first precursor leaves at ktr whatever the ``maturation``: slowing only its exit would let it grow
without gain in cells. Transfused cells are a pool of their own that dies at random (exponentially) after ``donor_survival``; the
feedback sees all cells. The feedback w is carried as a state, w' = -gamma * w * A' / A, which saves a power at every
stage.
"""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import minimum, power
from myelosim.components.contract import Declared, State

SITES = ("production", "maturation", "egress", "loss")
PRECURSORS = {"precursors": ("production", "self_renewing"), "n_precursors": range(1, 21)}
TRANSFUSED = {"transfused": ("no", "yes")}

MTT = Declared("mtt", "h", "mean transit time through the precursors")
GAMMA = Declared("gamma", "1", "feedback exponent", closed=True)
CAP = Declared(
    "cap", "1", "largest factor by which the feedback raises production",
    lower=1.0, closed=True, default=1e30, setting=True,
)  # fmt: skip
DONOR_SURVIVAL = Declared("donor_survival", "h", "mean time that a transfused cell spends in the blood", setting=True)


def states(structure: dict[str, Any], n_ages: int, unit: str) -> tuple[State, ...]:
    """Return the precursors, the ages of circulating cells, those of donors and the carried feedback."""
    ages = ("circulating",) if n_ages == 1 else tuple(f"age_{i + 1}" for i in range(n_ages))
    donors = ("donors",) if _transfused(structure) else ()
    names = (*(f"precursor_{i + 1}" for i in range(structure["n_precursors"])), *ages, *donors)
    return (*(State(name, unit) for name in names), State("feedback", "1", carried=True))


def donors(structure: dict[str, Any], n_ages: int) -> int | None:
    """Return the state that a transfusion adds to, if there is one."""
    return structure["n_precursors"] + n_ages if _transfused(structure) else None


def _transfused(structure: dict[str, Any]) -> bool:
    return structure.get("transfused") == "yes"


def circulating(structure: dict[str, Any], n_ages: int) -> tuple[int, ...]:
    """Return the states that are in the blood."""
    return tuple(range(structure["n_precursors"], structure["n_precursors"] + n_ages + _transfused(structure)))


def start(base: Any, residence: Any, p: Any, structure: dict[str, Any], n_ages: int) -> tuple[Any, ...]:
    """Return the drug-free steady state."""
    n = structure["n_precursors"]
    precursor = base / residence * p.mtt / n
    foreign = (0.0 * base,) if _transfused(structure) else ()
    return (*(precursor for _ in range(n)), *(base / n_ages for _ in range(n_ages)), *foreign, base / base)


def carry(y: tuple[Any, ...], base: Any, p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the states with the feedback derived from the circulating cells."""
    return (*y[:-1], power(base / sum(y[structure["n_precursors"] : -1]), p.gamma))


def rhs(y: tuple[Any, ...], base: Any, residence: Any, p: Any, site: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the derivatives; ``base`` is the count at rest, ``residence`` its mean time in the blood (h)."""
    n = structure["n_precursors"]
    blood, feedback = y[n:-1], y[-1]
    precursors, ages, foreign = (
        y[:n],
        blood[: len(blood) - _transfused(structure)],
        blood[len(blood) - _transfused(structure) :],
    )
    ktr, renewing = n / p.mtt, structure["precursors"] == "self_renewing"
    source = ktr * precursors[0] if renewing else base / residence
    births = source * (site.production * minimum(feedback, p.cap))
    steps = [ktr if renewing and i == 0 else ktr * site.maturation for i in range(n)]
    steps[-1] = steps[-1] * site.egress
    matured, release = _passage(births, precursors, steps)
    aged, removal = _passage(release, ages, [len(ages) / residence * site.loss] * len(ages))
    lost = tuple(pool / p.donor_survival * site.loss for pool in foreign)
    change = release - removal - sum(lost)
    return (*matured, *aged, *(-one for one in lost), -p.gamma * feedback * (change / sum(blood)))


def _passage(inflow: Any, pools: tuple[Any, ...], rates: list[Any]) -> tuple[tuple[Any, ...], Any]:
    """Return the derivatives of a chain of pools and what leaves the last."""
    flows = [inflow, *(rate * pool for rate, pool in zip(rates, pools, strict=True))]
    return tuple(flows[i] - flows[i + 1] for i in range(len(pools))), flows[-1]


def problems(residence: Any, p: Any, structure: dict[str, Any], n_ages: int) -> list[str]:
    """Return why this parameter set cannot be trusted; see :mod:`myelosim.components.lineages.stability`."""
    from myelosim.components.lineages.stability import production_limit, too_steep

    n = structure["n_precursors"]
    return too_steep(p.gamma, production_limit(n, p.mtt, n_ages, residence, structure["precursors"] == "self_renewing"))
