"""A linear mixed model, of which everything is known."""

from dataclasses import dataclass

import numpy as np
import pytest


@dataclass(frozen=True)
class Linear:
    """y = mean + Z eta + noise: a level and a slope of each subject's own, every subject at the same times."""

    subjects: int = 20
    times: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0, 7.0)
    noise: float = 0.5

    @property
    def omega(self):
        return np.array([[0.8, 0.1], [0.1, 0.05]])

    @property
    def time(self):
        return np.tile(self.times, self.subjects)

    @property
    def subject(self):
        return np.repeat(np.arange(self.subjects), len(self.times))

    @property
    def jacobian(self):
        return np.column_stack([np.ones(len(self.time)), self.time])

    @property
    def population(self):
        return 10.0 - self.time

    @property
    def covariance(self):
        """Of one subject's rows."""
        own = self.jacobian[: len(self.times)]
        return own @ self.omega @ own.T + self.noise**2 * np.eye(len(own))

    def draw(self, chance, size=None):
        """Observations (R,), or (size, R)."""
        shape = (1 if size is None else size, self.subjects)
        etas = chance.standard_normal((*shape, 2)) @ np.linalg.cholesky(self.omega).T
        level = np.einsum("knte,kne->knt", self.jacobian.reshape(1, self.subjects, -1, 2), etas).reshape(shape[0], -1)
        drawn = self.population + level + self.noise * chance.standard_normal(level.shape)
        return drawn[0] if size is None else drawn


@pytest.fixture
def linear():
    return Linear()
