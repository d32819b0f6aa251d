"""Blood beyond the species' limits."""

import warnings

import pytest

import myelosim as ms

MOUSE = {
    "format": 1, "title": "too much blood", "model": {"drug": "cemsidomide", "species": "mouse"}, "days": 14,
    "visits": [0, 3, 5, 7, 10], "population": {"size": 8}, "arm": [{"name": "none", "dose": "none"}],
}  # fmt: skip


def test_blood_beyond_the_limits_is_a_warning_and_strictly_an_error():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        ms.compare(MOUSE)
    assert any("500 uL" in str(one.message) or "0.5 mL" in str(one.message) for one in said), [
        str(w.message) for w in said
    ]
    with pytest.raises(ms.SpecError, match="strict: "):
        ms.compare(MOUSE | {"strict": True})
