"""What a cohort is compared with: amounts in compartments and Friberg's chain, integrated by SciPy.

Numbers may be complex, hours of doses too: a piece between two complex hours is integrated along the straight line. That gives
derivatives by complex steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.integrate import solve_ivp

PERIPHERAL = {"one": (), "two": (("q", "vp"),), "three": (("q2", "vp2"), ("q3", "vp3"))}


@dataclass(frozen=True)
class Dose:
    """``way`` is "depot" or "central"; what is absorbed has a lag and a bioavailability."""

    time: float
    amount: float
    duration: float = 0.0
    way: str = "depot"
    absorbed: bool = True


@dataclass
class Course:
    """A subject's kinetics ("one", "two", "three" compartments, or "saturable") and its parameters by period."""

    kind: str
    periods: list[dict]
    starts: tuple = (0.0,)
    closed: tuple = (False,)

    def slopes(self, p, y, rates):
        """Return dy/dt: depot, central and peripheral amounts, then five pools of cells."""
        depot, central, *others = y[:-5]
        flow = p.get("ka", 0.0) * depot
        if self.kind == "saturable":
            c = central / p["v"]
            back, into = p["vmax"] * c / (p["km"] + c), []
        else:
            c = central / p["vc"]
            into = [p[q] * (c - a / p[v]) for (q, v), a in zip(PERIPHERAL[self.kind], others, strict=True)]
            back = p["cl"] * c + sum(into)
        pool, *transits, blood = y[-5:]
        ktr = 4 / p["mtt"]
        grown = ktr * pool * ((1 - p["slope"] * c) * (p["baseline"] / blood) ** p["gamma"] - 1)
        chain = [ktr * (a - b) for a, b in zip([pool, *transits], [*transits, blood], strict=True)]
        return np.array([-flow + rates[0], flow - back + rates[1], *into, grown, *chain])

    def volume(self, p):
        return p["v" if self.kind == "saturable" else "vc"]

    def period(self, hour):
        """Return the period of an hour."""
        later = zip(self.starts[1:], self.closed[1:], strict=True)
        return sum(hour > start if closed else hour >= start for start, closed in later)

    def stops(self, doses, looks):
        """Return (hour, phase, what, values), in order: looks before doses, doses, open changes, looks, closed changes."""
        stops = [(hour, 3 if after else 0, "look", k) for k, (hour, after) in enumerate(looks)]
        for k in range(1, len(self.starts)):
            stops.append((self.starts[k], 4 if self.closed[k] else 2, "change", k))
        for dose in doses:
            p = self.periods[self.period(dose.time)]
            hour = dose.time + (p.get("tlag", 0.0) if dose.absorbed else 0.0)
            amount = dose.amount * (p.get("f", 1.0) if dose.absorbed else 1.0)
            way = 1 if dose.way == "central" else 0
            duration = dose.duration or (p.get("duration", 0.0) if dose.absorbed else 0.0)
            if duration:
                stops.append((hour, 1, "pour", (way, amount / duration)))
                stops.append((hour + duration, 1, "pour", (way, -amount / duration)))
            else:
                stops.append((hour, 1, "give", (way, amount)))
        return sorted(stops, key=lambda stop: (np.real(stop[0]), stop[1]))

    def solve(self, doses, looks, rtol=1e-12):
        """Return counts and concentrations, both (look), for looks (hour, whether after the doses of that hour)."""
        p, now = self.periods[0], 0.0
        rates = np.zeros(2, complex)
        amounts = 2 + len(PERIPHERAL.get(self.kind, ()))
        y = np.array([0.0] * amounts + [p["baseline"]] * 5, complex)
        found = np.zeros((2, len(looks)), complex)
        for hour, _, what, value in self.stops(doses, looks):
            if hour != now:
                y, now = self.go(p, y, rates, hour - now, rtol), hour
            if what == "look":
                found[:, value] = y[-1], y[1] / self.volume(p)
            elif what == "change":
                p = self.periods[value]
            elif what == "give":
                y[value[0]] += value[1]
            else:
                rates[value[0]] += value[1]
        return found

    def go(self, p, y, rates, length, rtol):
        """Return the state after a time that may be complex."""
        done = solve_ivp(
            lambda _, y: length * self.slopes(p, y, rates), (0.0, 1.0), y, "DOP853", rtol=rtol, atol=1e-3 * rtol
        )
        assert done.success, done.message
        return done.y[:, -1]

    def slope(self, name, doses, looks, step=1e-20):
        """Return the derivatives by the logarithm of a parameter, in all periods."""
        moved = [p | {name: p[name] * (1 + 1j * step)} for p in self.periods]
        return replace(self, periods=moved).solve(doses, looks).imag / step
