"""The benchmark of recovery: studies with known truths, lines that can be gone on with, and the verdict."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from benchmarks import recovery

import myelosim as ms

JOB = recovery.Job(seed=1, lineages=("neutrophil", "platelet", "erythroid"), method="focei", intervals="profile")


@pytest.fixture(scope="module")
def known():
    return recovery.plan(JOB.lineages)


def counted(job, replicate):
    """Stand in for a replicate: the interval is always 0 to 1, the truth at times beyond it."""
    counted.calls.append(replicate)
    return {
        "job": recovery.asdict(job), "replicate": replicate, "truth": {"x.baseline": 1.5 if replicate % 4 == 0 else 0.5},
        "estimate": {"x.baseline": 0.55}, "interval": {"x.baseline": [0.0, 1.0]}, "omega_truth": {}, "seconds": 0.0,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def calls():
    counted.calls = []
    return counted.calls


def test_truths_are_drawn_from_the_priors(known):
    drawn = [recovery.truth(known, 1, k) for k in range(400)]
    for name, (mean, sd) in known.priors.items():
        z = np.log([one[name] / mean for one in drawn]) / sd
        assert abs(z.mean()) < 4 / 20 and abs(z.std() - 1) < 4 / np.sqrt(800)


@pytest.mark.filterwarnings("ignore::myelosim.MyelosimWarning")
def test_a_study_is_twelve_rats_with_six_visits_who_come_from_the_truth(known):
    true = recovery.truth(known, 1, 0)
    rows = recovery.study(known, true, JOB.lineages, 1, 0)
    assert rows["ID"].nunique() == 12 and (rows["EVID"] == 1).sum() == 9 * 28
    seen = rows[rows["EVID"] == 0]
    assert (seen.groupby(["ID", "DVID"])["TIME"].nunique() == 6).all() and seen["DVID"].nunique() == 3
    dosed = rows.loc[rows["EVID"] == 1, "ID"]
    control = seen[~seen["ID"].isin(dosed) & (seen["DVID"] == "hemoglobin")]
    assert control["DV"].mean() == pytest.approx(true["erythroid.baseline"], rel=4 * 0.07 / np.sqrt(3))
    assert not rows["DV"].equals(recovery.study(known, true, JOB.lineages, 1, 1)["DV"])


def test_one_lineage_leaves_the_others_out():
    known = recovery.plan(("platelet",))
    assert {name.split(".")[-1] for name in known.priors} == {"baseline", "mtt", "ec50"} and len(known.priors) == 3
    assert {n for n, p in known.model.parameters.items() if p.omega_sd > 0} == {"platelet.baseline", "platelet.mtt"}


def test_goes_on_where_it_ended(tmp_path, calls):
    path = tmp_path / "lines.jsonl"
    recovery.run(JOB, 3, path, work=counted)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"replicate": 3, "tru')
    records = recovery.run(JOB, 5, path, work=counted)
    assert calls == [0, 1, 2, 3, 4] and [one["replicate"] for one in records] == calls
    assert path.read_bytes().startswith(whole) and len(path.read_text().splitlines()) == 5
    with pytest.raises(SystemExit, match="choose another file"):
        recovery.run(recovery.Job(2, JOB.lineages, "focei", "profile"), 5, path, work=counted)


def test_verdict_counts_what_failed_as_not_covered(tmp_path):
    records = recovery.run(JOB, 8, tmp_path / "lines.jsonl", work=counted)
    verdict = recovery.judged(records).loc["x.baseline"]
    assert verdict["covered"] == 6 / 8 and verdict["from"] < 6 / 8 < verdict["to"]
    # 0.55 / 0.5 - 1 six times, 0.55 / 1.5 - 1 twice
    assert verdict["bias"] == pytest.approx((6 * 0.1 + 2 * (0.55 / 1.5 - 1)) / 8)
    failed = [*records, {**records[1], "error": "no", "interval": None}]
    del failed[-1]["interval"]
    assert recovery.judged(failed).loc["x.baseline", "covered"] == pytest.approx(6 / 9)
    assert recovery.missed(recovery.judged(records)) == ["x.baseline: covered 75.0%", "x.baseline: biased by -8.3%"]


def test_a_fit_becomes_a_line_and_so_does_its_failure(known, monkeypatch):
    job = recovery.Job(1, ("platelet",), "focei", "sir")
    theta = {name: mean for name, (mean, _) in recovery.plan(job.lineages).priors.items()}
    fit = SimpleNamespace(
        theta=theta, omega={"platelet.baseline": 0.03, "platelet.mtt": {"platelet.mtt": 0.01}}, warnings=("a",)
    )
    monkeypatch.setattr(recovery, "fitted", lambda known, rows, method: fit)
    monkeypatch.setattr(
        recovery, "bounds", lambda fit, kind: {name: (0.9 * v, 1.1 * v) for name, v in fit.theta.items()}
    )
    line = json.loads(json.dumps(recovery.replicated(job, 3)))
    assert line["estimate"] == theta and line["omega"] == {"platelet.baseline": 0.03, "platelet.mtt": 0.01}
    assert line["interval"].keys() == line["truth"].keys() and line["warnings"] == ["a"]

    def fails(*_):
        raise ms.ConvergenceError("stopped")

    monkeypatch.setattr(recovery, "bounds", fails)
    line = recovery.replicated(job, 3)
    assert line["error"] == "ConvergenceError: stopped" and "interval" not in line and line["estimate"] == theta
