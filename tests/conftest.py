"""A comparison of one plan followed blindly and under a rule."""

import os
import warnings

import pytest

import myelosim as ms

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: workers have the cores already

HELD = {
    "format": 1, "title": "Held and not", "model": "generic_three_lineage", "days": 42, "visits": "d1 weekly",
    "population": {"size": 12, "seed": 1},
    "arm": [
        {"name": "fixed", "dose": "drug 80 mg BID d1-28"},
        {"name": "held", "dose": "drug 80 mg BID d1-28", "rules": ["low"]},
    ],
    "rule": {
        "low": {
            "when": "neutrophil < 1.0", "do": "hold drug", "until": "neutrophil >= 1.0", "visits": "daily", "turnaround": "1 d",
        },
    },
}  # fmt: skip


def pytest_collection_modifyitems(items):
    """Begin with the files of slow tests: a worker that came to one last would let the others wait."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def held():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        return ms.compare(HELD)
