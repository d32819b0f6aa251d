"""One arm of a scenario."""

import pytest

from myelosim import trial
from myelosim.errors import SimulationError
from myelosim.spec import load_scenario

SCENARIO = {
    "title": "One arm",
    "model": "generic_oral_1cmt",
    "days": 7,
    "population": {"size": 3},
    "arm": [{"name": "much", "dose": "drug 40 mg once"}],
}


def test_a_failure_names_the_arm(monkeypatch):
    def fails(*arguments, **options):
        raise SimulationError("3 of 3 subjects failed")

    monkeypatch.setattr("myelosim.trial.arm.simulated", fails)
    scenario = load_scenario(SCENARIO)
    with pytest.raises(SimulationError, match=r"^arm 'much': 3 of 3 subjects failed$"):
        trial.run_arm(scenario, scenario.arms[0])
