"""What the closed-form kinetics share: absorption as one more mode, and the rates of small compartment systems."""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import power, where
from myelosim.components.contract import Declared

# Two rates closer than this fraction are moved apart symmetrically: the divided difference then errs by (NEAR * rate * t)^2/6
# and loses eps/NEAR to cancellation, both far under 1e-9 for any concentration that matters.
NEAR = 1e-5


def absorption_parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return the parameters that the way of absorption asks for."""
    common = (
        Declared("f", "1", "bioavailability", scale="logit", upper=1.0, closed=True, default=1.0),
        Declared("tlag", "h", "absorption lag", closed=True, default=0.0),
    )
    if structure["absorption"] == "first_order":
        return (Declared("ka", "1/h", "absorption rate"), *common)
    if structure["absorption"] == "zero_order":
        return (Declared("duration", "h", "duration of absorption"), *common)
    return common


def absorbed(rates: tuple[Any, ...], weights: tuple[Any, ...], p: Any, structure: dict[str, Any]) -> Any:
    """Add first-order absorption, if any, to disposition modes."""
    if structure["absorption"] != "first_order":
        return rates, {"central": weights}
    ka, moved = p.ka, []
    for rate in rates:
        ka, rate = apart(ka, rate)
        moved.append(rate)
    depot = [ka * weight / (ka - rate) for rate, weight in zip(moved, weights, strict=True)]
    return (ka, *moved), {"depot": (-sum(depot), *depot), "central": (0.0 * ka, *weights)}


def apart(first: Any, second: Any) -> tuple[Any, Any]:
    """Move two nearly equal rates apart so that a divided difference of theirs is the limit form."""
    middle = (first + second) / 2
    gap = NEAR * middle
    near = power(first - second, 2) < power(gap, 2)
    return where(near, middle + gap, first), where(near, middle - gap, second)


def quadratic_rates(total: Any, product: Any) -> tuple[Any, Any]:
    """Return the larger and smaller root of x^2 - total*x + product, without cancellation."""
    root = power(where(total * total > 4 * product, total * total - 4 * product, 0.0 * total), 0.5)
    larger = (total + root) / 2
    return apart(larger, product / larger)
