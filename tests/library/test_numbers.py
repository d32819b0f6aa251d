"""Numbers the shipped files are to give, by the engine."""

import numpy as np
import pytest

import myelosim as ms
from myelosim.validation import validate

pytestmark = pytest.mark.filterwarnings("ignore::myelosim.errors.MyelosimWarning")

PUBLISHED = [name for name in ms.list_models()["published"] if ms.load_model(name).expected]


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_model_gives_the_expected_numbers(name):
    wrong = {
        one.expected.what: (one.expected.value, one.obtained, one.problem) for one in validate([name]) if not one.met
    }
    assert wrong == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dose", "interval", "top", "trough", "area"),
    [
        ("asciminib 40 mg BID", 12, 900, 295, 6305),
        ("asciminib 80 mg QD", 24, 1449, 213, 12630),
        ("asciminib 200 mg BID", 12, 4980, None, 37400),
    ],
)
def test_asciminib_exposure_is_the_fit_to_the_label_and_population_summaries(dose, interval, top, trough, area):
    model = ms.load_model("asciminib", species="human")
    ds = ms.simulate(model, dose, times=np.linspace(480, 480 + interval, 481))
    concentration = ds["concentration"][0, 0].to_numpy()
    assert concentration.max() == pytest.approx(top, rel=0.01)
    assert trough is None or concentration.min() == pytest.approx(trough, rel=0.01)
    assert np.ptp(ds["area"][0, 0].to_numpy()) == pytest.approx(area, rel=0.01)


@pytest.mark.slow
def test_illustrative_rat_has_the_ratios_of_the_table():
    model = ms.load_model("asciminib_illustrative_rodent", species="rat")
    table = {10: (700, 1.2, 13.8), 30: (450, 0.8, 12.5), 100: (200, 0.4, 10.0)}
    for dose, row in table.items():
        ds = ms.simulate(
            model, f"asciminib_illustrative_rodent {dose} mg/kg QD d1-28", times=[0.0, 672.0], tolerance=1e-8
        )
        ratio = (ds["count"][0, :, 1] / ds["count"][0, :, 0]).sel(lineage=["platelet", "neutrophil", "hemoglobin"])
        np.testing.assert_allclose(ratio, np.divide(row, (850, 1.5, 14.5)), atol=0.012)


@pytest.mark.slow
def test_growth_factor_lifts_an_arrested_marrow_as_calibrated():
    model = ms.load_model("cemsidomide", species="human", variant="rrmm", gcsf="filgrastim")
    doses = ["cemsidomide 100 ug QD d1-14", "filgrastim 5 ug/kg sc QD d15-17"]
    hours = [0.0, 336.0, 408.0]
    alone, helped = (ms.simulate(model, dose, times=hours)["count"][0, 0].to_numpy() for dose in (doses[:1], doses))
    assert helped[2] > 1.8 * alone[2]
    single = ms.simulate(model, "filgrastim 5 ug/kg sc once", times=[0.0, 24.0])["count"][0, 0].to_numpy()
    assert single[1] / single[0] == pytest.approx(2.7, abs=0.1)
