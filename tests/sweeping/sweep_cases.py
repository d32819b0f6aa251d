"""A sweep that runs at once."""

SCENARIO = {
    "title": "Small",
    "model": "generic_oral_2cmt_friberg",
    "days": 28,
    "visits": "d1 weekly",
    "population": {"size": 40, "seed": 2},
    "arm": [
        {"name": "no drug", "dose": "none"},
        {"name": "40 mg", "dose": "drug 40 mg BID d1-14"},
    ],
}
AXIS = {"dose": ["20 mg", "40 mg", "80 mg"], "schedule": ["BID d1-7", "BID d1-14"]}
LIMIT = {"lineage": "neutrophil", "probability": 0.3}


def small(**changes):
    """Return a sweep, with other keys."""
    return {"scenario": SCENARIO, "title": "Small sweep", "axis": AXIS, "limit": LIMIT, "block": 16, **changes}
