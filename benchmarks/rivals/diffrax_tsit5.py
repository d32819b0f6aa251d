"""diffrax's Tsit5 at rtol 1e-6, vectorized over subjects, double precision."""

from __future__ import annotations

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.rivals.friberg import DAYS, DOSE, DOSES, GAMMA, GAPS, KA, VP, Q, V

MOST = 1000
jax.config.update("jax_enable_x64", True)


def _rhs(t, y, p):
    cl, baseline, mtt, slope = p
    k, c = 4.0 / mtt, y[1] / V
    feedback = (baseline / y[7]) ** GAMMA
    return jnp.stack([
        -KA * y[0], KA * y[0] - (cl + Q) / V * y[1] + Q / VP * y[2], Q / V * y[1] - Q / VP * y[2],
        k * y[3] * ((1.0 - slope * c) * feedback - 1.0), k * (y[3] - y[4]), k * (y[4] - y[5]), k * (y[5] - y[6]),
        k * (y[6] - y[7]),
    ])  # fmt: skip


def _one(p):
    begin, end = jnp.array([g[0] for g in GAPS]), jnp.array([g[1] for g in GAPS])
    dose = jnp.array([DOSE if g[0] in set(DOSES) else 0.0 for g in GAPS])
    start = jnp.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]) * p[1]

    def gap(y, x):
        done = diffrax.diffeqsolve(
            diffrax.ODETerm(_rhs), diffrax.Tsit5(), x[0], x[1], 0.1, y.at[0].add(x[2]), p,
            stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-12), saveat=diffrax.SaveAt(t1=True),
        )  # fmt: skip
        return done.ys[0], done.ys[0][7]

    return jax.lax.scan(gap, start, (begin, end, dose))[1]


_every = jax.jit(jax.vmap(_one))


def solve(individuals):
    """Return counts (subject, day)."""
    counts = np.asarray(_every(jnp.asarray(individuals.to_numpy())))
    at = [i for i, g in enumerate(GAPS) if g[1] in set(DAYS)]
    return np.concatenate([individuals.to_numpy()[:, 1:2], counts[:, at]], axis=1)
