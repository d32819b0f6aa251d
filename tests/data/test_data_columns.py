"""A laboratory's sheet without a column of results."""

from __future__ import annotations

import pandas as pd
import pytest

import myelosim as ms
from myelosim.data.read import read


def test_results_under_another_name_are_asked_for():
    sheet = pd.DataFrame(
        [(1, 0, "neutrophil", 3.0), (1, 72, "neutrophil", 2.0)], columns=["ID", "TIME", "DVID", "value"]
    )
    with pytest.raises(ms.DataError, match=r"no column DV with the results.*there are: ID, TIME, DVID"):
        read(sheet, ms.load_model("cemsidomide", species="cynomolgus"))
