"""What a model predicts for a study, with first and second derivatives by the coordinates.

Derivatives are central differences between lanes that take the same steps: the difference of two solutions by one
discretization has no noise of step control in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from myelosim.data.study import Study
from myelosim.engine import Cohort
from myelosim.linearize.mixed import Mixed
from myelosim.linearize.people import people
from myelosim.spec.estimation import Estimation
from myelosim.spec.model import Model
from myelosim.spec.scale import from_scale

# On the log scale. Truncation and round-off are then alike: 1e-8 of a prediction for first derivatives, 1e-6 for second ones.
STEP = 2e-4


@dataclass
class Predictions:
    """Predictions ``f`` (row), first ``g`` (row, coordinate) and second derivatives ``h`` (row, coordinate, coordinate)."""

    f: np.ndarray
    g: np.ndarray
    h: np.ndarray


class Predictor:
    """A model over the subjects of a study.

    Parameters
    ----------
    model, study, estimation
        What is predicted, for whom, and what moves.
    tolerance : float
        Aim for the relative error of counts.
    """

    def __init__(
        self, model: Model, study: Study, estimation: Estimation, *, tolerance: float = 1e-8, threads: int | None = None
    ) -> None:  # fmt: skip
        persons, periods, slots = people(study, bool(estimation.occasion.names))
        self.study, self.model, self.periods, self.slots = study, model, periods, slots
        self.mixed = Mixed(model, estimation, periods)
        self.cohort = Cohort(model, persons, study.observables, tolerance, threads)
        seen = study.observations
        self.subject = seen.subject
        self.rows = {name: np.flatnonzero(seen.observable == name) for name in study.observables}
        self.units = [(tuple(part.outputs), self._relevant(next(iter(part.outputs)))) for part in self.cohort.parts]

    def _relevant(self, name: str) -> np.ndarray:
        reads = self.cohort.reads(name)
        return np.array([c for c, one in enumerate(self.mixed.coordinates) if one.parameter in reads], int)

    def predict(self, beta: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the predictions (row)."""
        values = self._values(self.mixed.values(beta, b))
        found = self.cohort.run(values, 1, related=True, covariates=self._about())
        return self._collected(found, 1)[:, 0]

    def sample(self, beta: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return predictions (row, sample) for random effects (subject, effect, sample)."""
        samples = b.shape[2]
        together = self.mixed.values(beta, np.zeros(b.shape[:2]))
        effects = np.einsum("ce,nek->nck", self.mixed.Z, b)
        for c, one in enumerate(self.mixed.coordinates):
            if one.theta is None:
                own = together[one.parameter].reshape(len(self.periods), -1)
                together[one.parameter] = own + one.weight[:, None] * effects[self.periods.subject, c]
        found = self.cohort.run(self._values(together), samples, related=False, covariates=self._about())
        return self._collected(found, samples)

    def differentiate(
        self, beta: np.ndarray, b: np.ndarray, *, order: int = 1, random_only: bool = False,
        who: np.ndarray | None = None,
    ) -> Predictions:  # fmt: skip
        """Return predictions and their derivatives; with ``random_only`` those by coordinates that random effects move.

        Second derivatives are those of which at least one coordinate is moved by random effects; subjects not in ``who`` are NaN.
        """
        C, R = len(self.mixed.coordinates), len(self.study.observations)
        f, g, h = np.full(R, np.nan), np.zeros((R, C)), np.zeros((R, C, C) if order > 1 else (0, C, C))
        base = self.mixed.values(beta, b)
        along = self.mixed.design(beta)[1]
        random = np.any(self.mixed.Z != 0, axis=1)
        for names, relevant in self.units:
            mine = relevant[random[relevant]] if random_only else relevant
            pairs = [
                (a, c) for k, a in enumerate(mine) for c in mine[k + 1 :] if order > 1 and (random[a] or random[c])
            ]
            step = np.array([self._step(self.mixed.coordinates[c].parameter, base, along[c]) for c in mine])
            moves = self._moves(mine, step, pairs)
            values = self._moved(base, along, moves)
            found = self.cohort.run(
                self._values(values), len(moves), related=True, who=who, covariates=self._about(), only=names
            )
            rows = np.concatenate([self.rows[name] for name in names if name in self.rows])
            F = self._collected({name: found[name] for name in names if name in self.rows}, len(moves))[rows]
            f[rows] = F[:, 0]
            up, down = F[:, 1 : 1 + len(mine)], F[:, 1 + len(mine) : 1 + 2 * len(mine)]
            g[np.ix_(rows, mine)] = (up - down) / (2 * step)
            if order > 1:
                self._second(h, rows, mine, pairs, F, step)
        return Predictions(f, g, h)

    def _second(
        self, h: np.ndarray, rows: np.ndarray, mine: np.ndarray, pairs: Any, F: np.ndarray, step: np.ndarray
    ) -> None:
        n = len(mine)
        middle, up, down = F[:, :1], F[:, 1 : 1 + n], F[:, 1 + n : 1 + 2 * n]
        curved = up + down - 2 * middle
        h[rows[:, None], mine, mine] = curved / step**2
        at = {c: k for k, c in enumerate(mine.tolist())}
        for k, (a, c) in enumerate(pairs):
            both = F[:, 1 + 2 * n + 2 * k] + F[:, 2 + 2 * n + 2 * k] - 2 * middle[:, 0]
            mixed = (both - curved[:, at[a]] - curved[:, at[c]]) / (2 * step[at[a]] * step[at[c]])
            h[rows, a, c] = h[rows, c, a] = mixed

    def _moves(self, mine: np.ndarray, step: np.ndarray, pairs: Any) -> list[dict[int, float]]:
        """Return what each lane moves: nothing, each coordinate up, each down, then pairs up and down."""
        size = dict(zip(mine.tolist(), step.tolist(), strict=True))
        single = [{c: sign * size[c]} for sign in (1, -1) for c in mine.tolist()]
        return [{}, *single, *({a: sign * size[a], c: sign * size[c]} for a, c in pairs for sign in (1, -1))]

    def _moved(self, base: dict[str, Any], along: np.ndarray, moves: list[dict[int, float]]) -> dict[str, Any]:
        values = dict(base)
        for c, one in enumerate(self.mixed.coordinates):
            shift = np.array([move.get(c, 0.0) for move in moves])
            if np.any(shift):
                own = np.asarray(values[one.parameter])
                own = own[:, None] if own.ndim == 1 else own
                values[one.parameter] = (
                    np.broadcast_to(own, (len(self.periods), own.shape[1])) + along[c][:, None] * shift
                )
        return values

    def _step(self, name: str, base: dict[str, Any], along: np.ndarray) -> float:
        """Return how far to go along a coordinate; where that moves the parameter most, it is a step of the parameter."""
        scale = self.model.parameters[name].scale
        size = max(float(np.abs(base[name]).mean()), 1e-3) if scale == "identity" else 1.0
        return STEP * size / (float(np.abs(along).max()) or 1.0)

    def _values(self, on_scale: dict[str, Any]) -> dict[str, Any]:
        """Return the values of parameters, those moved taken from their scale."""
        moved = set(self.mixed.moved)
        return {
            name: from_scale(value, self.model.parameters[name].scale) if name in moved else value
            for name, value in on_scale.items()
        }

    def _about(self) -> dict[str, np.ndarray]:
        every = {**self.model.subjects.covariates, **self.periods.covariates}
        return {
            name: np.broadcast_to(np.asarray(value, float), len(self.periods))
            for name, value in every.items() if name in ("weight", "surface")
        }  # fmt: skip

    def _collected(self, found: dict[str, np.ndarray], lanes: int) -> np.ndarray:
        out = np.full((len(self.study.observations), lanes), np.nan)
        for name, values in found.items():
            rows = self.rows.get(name, np.zeros(0, int))
            out[rows] = values[self.subject[rows], self.slots[rows]]
        return out
