"""A block of a population is that part of the whole, bit for bit."""

import numpy as np
import pytest
import xarray as xr

import myelosim as ms
from myelosim.population import Population, draw
from myelosim.random import uniforms


def test_rows_of_a_stream_far_from_its_beginning():
    whole = uniforms(3, "eta", 1001, 3, "x")
    rows = np.array([997, 990, 1000])
    assert np.array_equal(uniforms(3, "eta", 1001, 3, "x", rows=rows), whole[rows])
    assert uniforms(3, "eta", 1001, 3, "x", rows=np.array([], dtype=int)).shape == (0, 3)


@pytest.mark.parametrize("first", [8, 13, 24])
def test_individual_parameters(first):
    model = ms.load_model("cemsidomide", species="human", variant="rrmm")  # floors: some draw several times
    whole, part = draw(model, Population(64, 1)), draw(model, Population(20, 1, first=first))
    varying = [name for name, value in whole.items() if np.ndim(value)]
    assert varying
    for name in varying:
        assert np.array_equal(part[name], whole[name][first : first + 20]), name


def test_a_simulated_block():
    model = ms.load_model("kloft_2006_docetaxel")
    about = {"days": 42, "visits": "d1 weekly", "threads": 1}
    whole = ms.simulate(model, "docetaxel 75 mg/m2 over 1 h q21d x2", population=Population(45, 2), **about)
    for first, size in ((8, 16), (40, 5)):
        part = ms.simulate(
            model, "docetaxel 75 mg/m2 over 1 h q21d x2", population=Population(size, 2, first=first), **about
        )
        xr.testing.assert_identical(part.drop_attrs(), whole.isel(subject=slice(first, first + size)).drop_attrs())


def test_first_must_be_a_subject():
    with pytest.raises(ms.SpecError, match="first = -8"):
        Population(8, first=-8)
