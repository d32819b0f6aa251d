"""Lanes against the same operations in higher precision."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numba import njit

from myelosim.engine.lanes import (
    JIT,
    WIDTH,
    absolute,
    address,
    after,
    any_lane,
    every_lane,
    everywhere,
    exp,
    load,
    log,
    maximum,
    minimum,
    power,
    root,
    select,
    splat,
    store,
)  # fmt: skip

LARGEST, TINY = 708.0, np.finfo(float).tiny


@njit(**JIT)
def functions(x, y, out, n):
    X, Y, to = address(x), address(y), address(out)
    for i in range(0, n, WIDTH):
        u, v = load(X, i), load(Y, i)
        store(to, i, exp(u))
        store(to, n + i, log(u))
        store(to, 2 * n + i, power(u, v))
        store(to, 3 * n + i, minimum(u, v))
        store(to, 4 * n + i, maximum(u, v))
        store(to, 5 * n + i, select(u < v, u, 7))
        store(to, 6 * n + i, absolute(-u))
        store(to, 7 * n + i, root(absolute(u)))
        store(to, 8 * n + i, (u + 1e17) - 1e17)
        store(to, 9 * n + i, (2 * u - 1) / (3 - v))


@njit(**JIT)
def masks(x, limit, out):
    X = address(x)
    below = load(X, 0) < limit
    out[0] = any_lane(below)
    out[1] = every_lane(below)
    out[2] = any_lane(below & (load(X, 0) >= limit))
    out[3] = every_lane(below | (load(X, 0) >= limit))
    out[4] = every_lane(below ^ everywhere())
    store(after(address(out), 8), 0, splat(3))


def apply(x, y=None):
    """Return every function of lanes at these points, by name."""
    x = np.asarray(x, float)
    y = np.zeros_like(x) if y is None else np.broadcast_to(np.asarray(y, float), x.shape)
    pad = -len(x) % WIDTH
    n = len(x) + pad
    out = np.empty(10 * n)
    functions(np.append(x, np.zeros(pad)), np.append(y, np.zeros(pad)), out, n)
    names = ("exp", "log", "power", "minimum", "maximum", "select", "absolute", "root", "order", "arithmetic")
    return dict(zip(names, out.reshape(10, n)[:, : len(x)], strict=True))


def ulps(found, exact):
    """Return the distance in units of the last place of the exact value, which has more digits than a double."""
    return np.max(np.abs(found.astype(np.longdouble) - exact) / np.spacing(np.abs(exact.astype(float))))


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(1)


def test_exponential(rng):
    x = np.concatenate(
        [rng.uniform(-LARGEST, LARGEST, 20000), rng.uniform(-1, 1, 20000), 10.0 ** rng.uniform(-300, 0, 999)]
    )
    assert ulps(apply(x)["exp"], np.exp(x.astype(np.longdouble))) < 2.5
    assert apply([0.0, -0.0])["exp"].tolist() == [1.0, 1.0]


def test_exponential_saturates_beyond_its_range():
    ends = apply([LARGEST, 709.0, 1e300, -LARGEST, -1e300])["exp"]
    assert ends[0] == ends[1] == ends[2] and ends[0] == pytest.approx(np.exp(LARGEST), rel=1e-13)
    assert ends[3] == ends[4] and ends[3] == pytest.approx(np.exp(-LARGEST), rel=1e-13)


def test_logarithm(rng):
    x = np.concatenate(
        [10.0 ** rng.uniform(-307, 308, 20000), rng.uniform(0.5, 2, 20000), 1 + rng.uniform(-1e-6, 1e-6, 999)]
    )
    assert ulps(apply(x)["log"], np.log(x.astype(np.longdouble))) < 2
    assert apply([1.0])["log"] == 0.0


def test_logarithm_at_its_ends():
    least = np.log(TINY)
    np.testing.assert_allclose(apply([0.0, -0.0, 5e-324, TINY])["log"], least, rtol=1e-15)
    np.testing.assert_allclose(
        apply([1e300, np.finfo(float).max])["log"], np.log([1e300, np.finfo(float).max]), rtol=1e-15
    )
    assert np.all(np.isnan(apply([-1e-300, -1.0, -1e300])["log"]))


def test_power(rng):
    x, y = 10.0 ** rng.uniform(-20, 20, 20000), rng.uniform(-5, 5, 20000)
    exact = np.power(x.astype(np.longdouble), y.astype(np.longdouble))
    # An error of one ulp in the exponent's argument is argument times eps in the result.
    slack = 4 + 3 * np.abs(y * np.log(x))
    assert np.max(np.abs(apply(x, y)["power"] - exact) / exact / np.finfo(float).eps / slack) < 1
    assert apply([1.0, 3.0], [5.0, 0.0])["power"].tolist() == [1.0, 1.0]
    assert np.all(np.isnan(apply([-2.0, -1e-300], [2.0, 0.5])["power"]))
    assert 0 < apply([0.0], [0.5])["power"][0] < 1e-150


@pytest.mark.parametrize("name", ["exp", "log", "power", "root", "arithmetic"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_function_makes_a_number_of_what_is_none(name, bad):
    found = apply([bad, 1.0], [0.5, 0.5])[name]
    assert not np.isfinite(found[0]) and np.isfinite(found[1])


def test_comparisons_and_choices(rng):
    x, y = rng.standard_normal((2, 64))
    found = apply(x, y)
    np.testing.assert_array_equal(found["minimum"], np.minimum(x, y))
    np.testing.assert_array_equal(found["maximum"], np.maximum(x, y))
    np.testing.assert_array_equal(found["select"], np.where(x < y, x, 7.0))
    np.testing.assert_array_equal(found["absolute"], np.abs(x))
    np.testing.assert_array_equal(found["root"], np.sqrt(np.abs(x)))
    np.testing.assert_allclose(found["arithmetic"], (2 * x - 1) / (3 - y), rtol=4e-16)


def test_sums_keep_their_order(rng):
    x = rng.standard_normal(64) * 100
    np.testing.assert_array_equal(apply(x)["order"], (x + 1e17) - 1e17)
    text = next(iter(functions.inspect_llvm().values()))
    allowed = set(re.findall(r"\bf(?:add|sub|mul|div|neg)\s+((?:[a-z]+\s)*)<8 x double>", text))
    assert allowed <= {"", "contract "} and "contract " in allowed


@pytest.mark.parametrize("values", [np.arange(8.0), np.full(8, -1.0), np.full(8, 9.0), np.full(8, np.nan)])
def test_masks(values):
    out = np.zeros(16)
    masks(values, 5.0, out)
    below = values < 5
    assert out[:5].tolist() == [below.any(), below.all(), False, not np.isnan(values).any(), (~below).all()]
    assert np.all(out[8:] == 3.0)
