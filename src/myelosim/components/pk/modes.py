"""What the closed-form kinetics share: exact modes of a central compartment with others around it.

A mode decays as exp(-rate * t). After a unit dose the concentration is

    c(t) = sum over modes i of  N(x_i) * exp(-x_i * t) / product over j != i of (x_j - x_i)

with x the disposition rates and, where absorption is of first order, ka. N(x) is the product of (k - x) over the
rates k at which the peripheral compartments return drug, over vc; for a dose into the depot times ka, for one into
the central compartment times (ka - x). That is a divided difference of N(x) * exp(-x * t), which has a limit where
rates coincide.

Reference: Gibaldi and Perrier, Pharmacokinetics, 2nd ed. 1982, appendix B.
"""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import maximum, power, where
from myelosim.components.contract import Declared

# Two rates closer than twice this fraction are moved that far apart symmetrically. A divided difference does not
# feel that to first order: it then errs by (NEAR * rate * t)^2 and loses eps/NEAR to cancellation, both under 1e-9
# of the peak. (Three rates that coincide lose eps/NEAR^2, 1e-6.)
NEAR = 1e-5

# From Laguerre's bound Newton's iteration closes in on a single root within ten steps, on a threefold one by 2/3 a
# step.
STEPS = 40


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


def absorption_channels(structure: dict[str, Any]) -> tuple[str, ...]:
    """Return where a dose can enter."""
    return ("depot", "central") if structure["absorption"] == "first_order" else ("central",)


def compartment_modes(
    rates: tuple[Any, ...], returns: tuple[Any, ...], p: Any, structure: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, tuple[Any, ...]]]:
    """Return all decay rates (1/h) and, per compartment, the weight of a unit amount in each mode (1/L).

    ``rates`` are the disposition rates, ``returns`` the rates at which the peripheral compartments give drug back. The
    compartments are the channels of a dose, then ``peripheral_1`` and so on: together they tell the modes from the amounts.
    """
    absorbed = structure["absorption"] == "first_order"
    nodes = spread((p.ka, *rates) if absorbed else rates)
    each = range(len(nodes))
    open_ = [((p.ka - x) if absorbed else 1.0) / p.vc for x in nodes]
    depot = {"depot": tuple(_weight(i, nodes, returns, p.ka / p.vc) for i in each)} if absorbed else {}
    central = tuple(_weight(i, nodes, returns, open_[i]) for i in each)
    peripheral = {
        f"peripheral_{k + 1}": tuple(
            _weight(i, nodes, (*returns[:k], *returns[k + 1 :]), back * open_[i]) for i in each
        )
        for k, back in enumerate(returns)
    }
    return nodes, {**depot, "central": central, **peripheral}


def _weight(i: int, nodes: tuple[Any, ...], returns: tuple[Any, ...], weight: Any) -> Any:
    for k in returns:
        weight = weight * (k - nodes[i])
    for j, other in enumerate(nodes):
        if j != i:
            weight = weight / (other - nodes[i])
    return weight


def spread(rates: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the rates with those that nearly coincide moved apart, pair by pair."""
    moved = list(rates)
    for i in range(len(moved)):
        for j in range(i):
            middle = (moved[i] + moved[j]) / 2
            gap = NEAR * middle
            near = abs(moved[i] - moved[j]) < 2 * abs(gap)
            moved[i], moved[j] = where(near, middle + gap, moved[i]), where(near, middle - gap, moved[j])
    return tuple(moved)


def quadratic_rates(total: Any, product: Any) -> tuple[Any, Any]:
    """Return the larger and smaller root of x^2 - total*x + product, both real, without cancellation."""
    root = power(maximum(total * total - 4 * product, 0.0 * total), 0.5)
    larger = (total + root) / 2
    return larger, product / larger


def cubic_rates(total: Any, pairs: Any, product: Any) -> tuple[Any, Any, Any]:
    """Return the roots of x^3 - total*x^2 + pairs*x - product, all real and positive, from the largest down.

    Newton's iteration starts at Laguerre's bound on the largest root and comes down to it without overshooting; the
    other two are the roots of the quadratic that is left, whose coefficients are found without cancellation.

    Examples
    --------
    >>> [round(rate, 12) for rate in cubic_rates(6.0, 11.0, 6.0)]
    [3.0, 2.0, 1.0]
    """
    bound = power(maximum(total * total - 3 * pairs, 0.0 * total), 0.5)
    largest = (total + 2 * bound) / 3
    least_slope = NEAR * NEAR * total * total
    for _ in range(STEPS):
        value = ((largest - total) * largest + pairs) * largest - product
        slope = (3 * largest - 2 * total) * largest + pairs
        largest = largest - value / maximum(slope, least_slope)
    rest = product / largest
    return largest, *quadratic_rates((pairs - rest) / largest, rest)
