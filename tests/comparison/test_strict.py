"""Blood beyond the species' limits."""

import pytest

import myelosim as ms


def test_blood_beyond_the_limits_is_a_warning_and_strictly_an_error():
    mouse = {
        "format": 1, "title": "too much blood", "model": {"drug": "cemsidomide", "species": "mouse"}, "days": 14,
        "visits": [0, 3, 5, 7, 10], "population": {"size": 8}, "arm": [{"name": "none", "dose": "none"}],
    }  # fmt: skip
    with pytest.warns(ms.MyelosimWarning, match="mL"):
        ms.compare(mouse)
    with pytest.raises(ms.SpecError, match="strict: .* mL"):
        ms.compare(mouse | {"strict": True})
