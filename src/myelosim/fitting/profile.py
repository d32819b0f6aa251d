"""Profile likelihood: how far a parameter can be from its estimate while the others make the best of it.

From the optimum it walks outwards. At each place the other parameters are estimated again, from where the last two places
point to and with the Hessian learned there. The root of the objective's rise is nearly a straight line, so a few places
find where it reaches the quantile. References: Venzon and Moolgavkar, Appl Stat 1988;37:87-94; Cole, Chu and Greenland,
Am J Epidemiol 2014;179:252-60.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.stats import chi2

from myelosim.fitting.held import Held
from myelosim.fitting.search import Objective, begin, minimize

ENOUGH = 1e-3  # of the objective that a search at a place may leave
CLOSE = 0.03  # of the root of the rise: near enough to the height to interpolate
NEAR = 0.2  # of the way from the estimate that may be extrapolated where it is as close
INSIDE = 4  # places between the last two
PLACES = 14  # on one side
STRETCH = 2.5  # how much longer than the last a stride may be
LONGEST = 1.0  # a first stride
REACH = 12.0  # after which an end is taken as open: of a logarithm a factor of 160,000
BETTER = 0.01  # of the objective under the optimum's that is worth telling


@dataclass
class Place:
    """One place on a profile: the parameter, the others there, the rise of the objective over the optimum's."""

    at: float
    rest: np.ndarray
    rise: float
    value: Any

    @property
    def root(self) -> float:
        """Square root of the rise."""
        return float(np.sqrt(max(self.rise, 0.0)))


@dataclass
class Profile:
    """The profile of one parameter on the vector's scale.

    ``low`` and ``high`` are infinite where the objective does not rise enough however far the parameter goes. ``places``
    are in order of the parameter. ``better`` is the lowest rise met, where it is clearly under zero.
    """

    entry: int
    low: float
    high: float
    places: list[Place] = field(default_factory=list)

    @property
    def better(self) -> float:
        """By how much a better optimum was met; zero if none was."""
        least = min(place.rise for place in self.places)
        return -least if least < -BETTER else 0.0


def profile(objective: Objective, best: Any, r: np.ndarray, entry: int, level: float, reach: float = REACH) -> Profile:
    """Return the profile of one parameter.

    Parameters
    ----------
    objective : Objective
        What was minimized; it follows modes from the optimum on.
    best : value
        That of the objective at the optimum, with ``x`` and ``total``.
    r : array (parameter, parameter)
        Hessian of half the objective there, positive definite.
    entry : int
        Which parameter.
    level : float
        Of the interval: the rise looked for is the quantile of a chi-square with one degree of freedom.
    reach : float
        How far from the estimate it looks.
    """
    ends: list[float] = []
    places: list[Place] = []
    for sign in (-1.0, 1.0):
        walk = _Walk(objective, best, r, entry, sign, float(np.sqrt(chi2.ppf(level, 1))), reach)
        ends.append(walk.end())
        places += walk.places[1 if places else 0 :]
    objective.accept(best)
    return Profile(entry, ends[0], ends[1], sorted(places, key=lambda place: place.at))


class _Walk:
    """One side of a profile; ``places`` begin at the optimum, in the order in which they were visited."""

    def __init__(
        self, objective: Objective, best: Any, r: np.ndarray, entry: int, sign: float, height: float, reach: float
    ) -> None:  # fmt: skip
        self.objective, self.best, self.entry, self.sign, self.height = objective, best, entry, sign, height
        self.free = np.delete(np.arange(len(best.x)), entry)
        spread = np.linalg.inv(r)
        self.along = np.delete(spread[:, entry], entry) / spread[entry, entry]
        self.hessian = np.delete(np.delete(2.0 * r, entry, 0), entry, 1)
        self.places = [Place(float(best.x[entry]), np.delete(best.x, entry), 0.0, best)]
        self.half = min(float(np.sqrt(spread[entry, entry])) * height / 2, LONGEST)
        self.reach = reach

    def end(self) -> float:
        """Return where the rise reaches its height."""
        stride = self.half
        for _ in range(PLACES):
            last = self.places[-1]
            place = self._visit(last.at + self.sign * stride)
            if place is None:  # cannot be predicted there
                stride *= 0.3
                continue
            self.places.append(place)
            if place.root > self.height:
                return self._between()
            stride = self._stride(stride)
            if place.root > self.height * (1.0 - CLOSE) and stride < NEAR * self._gone(place):
                return place.at + self.sign * stride
            if self._gone(place) >= self.reach:
                break
            stride = min(stride, max(self.reach - self._gone(place), self.half))
        return self.sign * np.inf

    def _gone(self, place: Place) -> float:
        return abs(place.at - float(self.best.x[self.entry]))

    def _stride(self, last: float) -> float:
        """Return how far it is to the height, if the root of the rise goes on as between the last two places."""
        before, now = self.places[-2:]
        rising = (now.root - before.root) / abs(now.at - before.at)
        return STRETCH * last if rising <= 0 else float(min((self.height - now.root) / rising, STRETCH * last))

    def _between(self) -> float:
        """Return the end, which lies between the last place and the one before, by further places if they are far apart."""
        for _ in range(INSIDE):
            at, nearest = self._inverse(), min(abs(one.root - self.height) for one in self.places)
            place = None if nearest < CLOSE * self.height else self._visit(at)
            if place is None:
                break
            self.places.append(place)
        return self._inverse()

    def _inverse(self) -> float:
        """Return the parameter at the height by inverse interpolation, between the places on both sides of it."""
        under = max((one for one in self.places if one.root <= self.height), key=lambda one: one.at * self.sign)
        over = min((one for one in self.places if one.root > self.height), key=lambda one: one.at * self.sign)
        third = min(
            (one for one in self.places if one is not under and one is not over),
            key=lambda one: abs(one.root - self.height), default=None,
        )  # fmt: skip
        slope = (over.at - under.at) / (over.root - under.root)
        linear = under.at + (self.height - under.root) * slope
        if third is None or abs(third.root - over.root) < 1e-6 or abs(third.root - under.root) < 1e-6:
            return float(linear)
        bend = ((third.at - under.at) / (third.root - under.root) - slope) / (third.root - over.root)
        at = linear + bend * (self.height - under.root) * (self.height - over.root)
        inside = (at - under.at) * (over.at - at) > 0
        return float(at if inside else linear)

    def _visit(self, at: float) -> Place | None:
        """Estimate the others with the parameter held."""
        near = sorted(self.places, key=lambda one: abs(one.at - at))[:2]
        slope = self.along
        if len(near) == 2:
            slope = (near[0].rest - near[1].rest) / (near[0].at - near[1].at)
        self.objective.accept(near[0].value)
        held = Held(self.objective, np.insert(near[0].rest, self.entry, at), self.free)
        try:
            search = begin(held, near[0].rest + slope * (at - near[0].at), self.hessian)
            search = minimize(held, search, enough=ENOUGH)
        except np.linalg.LinAlgError:  # a variance that is zero to a computer
            return None
        if not np.isfinite(search.value.total):
            return None
        self.hessian = search.hessian
        rise = search.value.total - min(search.left, ENOUGH) - self.best.total
        return Place(at, search.x, rise, search.value)
