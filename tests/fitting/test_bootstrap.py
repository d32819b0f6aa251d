"""The bootstrap: its studies, its failures, and going on with a folder."""

from __future__ import annotations

import json

import numpy as np
import pytest
from test_intervals import BASELINE, M, N, fitted, logs

from myelosim.data.study import BELOW
from myelosim.errors import ConvergenceError, SpecError
from myelosim.fitting import bootstrap as room
from myelosim.fitting.bootstrap import bootstrap, simulated


@pytest.fixture(scope="module")
def fit():
    return fitted(logs())


def test_replicates_scatter_as_the_estimates_do(fit):
    """Both kinds, against the analytical variance of the mean, L / (m N)."""
    big = fit.sigma["neutrophil.log_sd"] ** 2 + M * fit.omega.loc[BASELINE, BASELINE]
    for kind in ("case", "parametric"):
        found = bootstrap(fit, kind, 30, seed=5)
        spread = np.std(found.x[:, 0]) / np.sqrt(big / (M * N))
        assert not found.failed and 0.65 < spread < 1.35


def test_a_folder_is_gone_on_with(fit, tmp_path):
    ready = []
    whole = bootstrap(fit, replicates=4, seed=2)
    bootstrap(fit, replicates=2, seed=2, folder=tmp_path)
    path = tmp_path / "bootstrap.jsonl"
    path.write_text(path.read_text() + '{"replicate": 2, "x": [0.')  # as a process that is killed leaves it
    found = bootstrap(fit, replicates=4, seed=2, folder=tmp_path, tell=lambda k, n: ready.append((k, n)))
    assert ready == [(3, 4), (4, 4)]
    np.testing.assert_array_equal(found.x, whole.x)
    assert [json.loads(line).get("replicate") for line in path.read_text().splitlines()] == [None, 0, 1, 2, 3]
    with pytest.raises(SpecError, match="another fit, kind or seed"):
        bootstrap(fit, replicates=2, seed=3, folder=tmp_path)


def test_failures_are_counted(fit, monkeypatch):
    real = room.minimize

    def minimize(objective, search, **settings):
        found = real(objective, search, **settings)
        found.converged = found.value.total > fit.objective
        found.why = "no step improves the objective"
        return found

    monkeypatch.setattr(room, "minimize", minimize)
    table = fit.intervals("bootstrap", replicates=12)
    failed = table.attrs["failed"]
    assert 0 < failed < 12 and table.attrs["replicates"] == 12 - failed
    assert table.attrs["why"] == {"no step improves the objective": failed}
    monkeypatch.setattr(room, "minimize", lambda objective, search, **settings: search)
    with pytest.raises(ConvergenceError, match="none of 3 replicates could be fitted"):
        bootstrap(fit, replicates=3)


def test_strata_keep_their_size(fit, monkeypatch):
    drawn = []
    monkeypatch.setattr(room, "resampled", lambda study, who: drawn.append(list(who)) or 1 / 0)
    labels = ["low"] * 3 + ["high"] * (N - 3)
    for k in range(5):
        with pytest.raises(ZeroDivisionError):
            room._replicate(fit, "case", 1, room._groups(fit.study, labels), 1, k)
    assert all(sum(one < 3 for one in who) == 3 and len(who) == N for who in drawn)
    assert len({tuple(who) for who in drawn}) == 5
    with pytest.raises(SpecError, match=f"2 labels for {N} subjects"):
        bootstrap(fit, strata=[1, 2])


def test_simulated_values_are_censored_as_the_data_are(fit):
    seen = fit.study.observations
    seen.censored[::7], seen.value[::7] = BELOW, 1.0
    seen.value[7] = 1.2
    try:
        rng = np.random.default_rng(1)
        noise = rng.standard_normal(len(seen))
        new = simulated(fit.problem, fit.point, rng.standard_normal((N, 1)), noise).observations
        limit = np.where(seen.censored == BELOW, seen.value, 1.2)
        assert np.all((new.value >= limit - 1e-12) & ((new.censored == BELOW) == (new.value <= limit)))
        assert 0 < np.count_nonzero(new.censored == BELOW) < len(seen)
    finally:
        seen.censored[:] = 0


def test_an_unknown_kind_is_refused(fit):
    with pytest.raises(SpecError, match="allowed: case, parametric"):
        bootstrap(fit, "jackknife")
