"""Methods of a fit by name."""

import pytest

import myelosim as ms


def test_a_method_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ms.SpecError, match=r"no method 'focie'; did you mean 'focei'.*foce"):
        ms.fit(ms.load_model("generic_iv_1cmt"), "never read", method="focie")
