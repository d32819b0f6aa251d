"""The information matrix against its definition, and what must hold of any."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from information_oracle import dense

from myelosim.information import Fisher, Look, Sensitivity, precision
from myelosim.information.shrinkage import shrinkage


def drawn(seed, *, full=False, points=1, looks=7, thetas=3, effects=3, terms=2):
    """Return sensitivities of nothing in particular: correlated omegas, all entries free, several terms."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(effects, effects))
    both = rng.normal(size=(points, looks, effects, thetas)) if full else None
    entries = [(i, j) for i in range(effects) for j in range(i + 1)]
    by = np.zeros((len(entries), effects, effects))
    for k, (i, j) in enumerate(entries):
        by[k, i, j] = by[k, j, i] = 1.0
    term = rng.uniform(0.1, 2.0, (points, looks, terms))
    return Sensitivity(
        tuple(Look("count", 24.0 * k) for k in range(looks)), rng.uniform(1, 5, (points, looks)),
        rng.normal(size=(points, looks, thetas)), rng.normal(size=(points, looks, effects)), 0.3 + term.sum(axis=2),
        rng.normal(size=(points, looks, thetas)), term, both,
        root @ root.T + 0.1 * np.eye(effects), by,
    )  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.booleans(), st.integers(0, 4), st.integers(0, 3), st.integers(0, 3))
def test_as_its_definition_says(seed, full, effects, thetas, terms):
    s = drawn(seed, full=full, effects=effects, thetas=thetas, terms=terms, points=2)
    counts = np.random.default_rng(seed).integers(0, 3, (4, len(s.looks)))
    counts[:, 0] = 1
    for found, one in zip(Fisher(s)(counts), counts, strict=True):
        known = (dense(s, one, 0) + dense(s, one, 1)) / 2
        np.testing.assert_allclose(found, known, rtol=1e-7, atol=1e-9 * np.abs(known).max(initial=0.0))


def test_without_random_effects_looks_add_up():
    s = drawn(3, effects=1, thetas=2)
    s.omega[:] = 0.0
    every = Fisher(s)(np.eye(len(s.looks)))
    whole = Fisher(s)(np.ones((1, len(s.looks))))[0]
    np.testing.assert_allclose(every.sum(axis=0)[:2, :2], whole[:2, :2], rtol=1e-12)
    np.testing.assert_allclose(every.sum(axis=0)[-2:, -2:], whole[-2:, -2:], rtol=1e-12)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.booleans())
def test_a_further_look_never_takes_information_away(seed, full):
    s = drawn(seed, full=full)
    fewer = np.ones((1, len(s.looks)))
    fewer[0, -1] = 0
    gain = Fisher(s)(np.ones((1, len(s.looks))))[0] - Fisher(s)(fewer)[0]
    assert np.linalg.eigvalsh(gain).min() > -1e-9 * np.abs(gain).max()


def test_shrinkage_is_what_a_normal_posterior_leaves():
    """Of 20,000 normal subjects, the variance of effects about their posterior mean, by conditioning on what is seen."""
    s = drawn(11)
    rng = np.random.default_rng(5)
    b = rng.multivariate_normal(np.zeros(3), s.omega, 20_000)
    y = b @ s.random[0].T + rng.normal(size=(len(b), len(s.looks))) * np.sqrt(s.variance[0])
    V = s.random[0] @ s.omega @ s.random[0].T + np.diag(s.variance[0])
    mean = y @ np.linalg.solve(V, s.random[0] @ s.omega)
    left = np.mean((b - mean) ** 2, axis=0) / np.diag(s.omega)
    np.testing.assert_allclose(shrinkage(s), 100 * left, rtol=0.05)


def test_what_nothing_tells_has_no_standard_error():
    s = drawn(2)
    s.theta[:, :, 1] = 0.0
    s.theta[:, :, 2] = 2.0 * s.theta[:, :, 0]
    found = precision(Fisher(s)(3 * np.ones((1, len(s.looks))))[0])
    assert found.blind[:3].tolist() == [False, True, False]
    assert np.isinf(found.errors[:3]).all() and np.isfinite(found.errors[3:]).all()


def test_precision_inverts_what_can_be_inverted():
    fim = Fisher(drawn(7, looks=30))(np.ones((1, 30)))[0]
    scale = 10.0 ** np.linspace(-6, 6, len(fim))  # units must not matter
    found = precision(fim * np.outer(scale, scale))
    assert found.determined.all()
    np.testing.assert_allclose(found.covariance * np.outer(scale, scale), np.linalg.inv(fim), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("full", [False, True])
def test_counts_are_repeated_looks(full):
    s = drawn(4, full=full)
    twice = Sensitivity(
        (*s.looks, *s.looks), *(np.concatenate([getattr(s, n)] * 2, axis=1) for n in ("f", "theta", "random", "variance")),
        *(np.concatenate([getattr(s, n)] * 2, axis=1) for n in ("by_theta", "by_term")),
        np.concatenate([s.both] * 2, axis=1) if full else None, s.omega, s.omega_by,
    )  # fmt: skip
    np.testing.assert_allclose(
        Fisher(s)(2 * np.ones((1, 7)))[0], Fisher(twice)(np.ones((1, 14)))[0], rtol=1e-9, atol=1e-9
    )
