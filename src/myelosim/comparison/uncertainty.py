"""What the errors of the parameters make of a comparison: the arms again, with values drawn from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from myelosim.population import redrawn
from myelosim.spec.scenario import Scenario
from myelosim.trial import run_arm

GRADES = (3, 4)


def uncertainty(scenario: Scenario, threads: int | None, told: Callable[[str, float], None]) -> dict[str, Any]:
    """Return what each draw of the parameters gives [arm, lineage, draw]: the share at each grade, true and seen, and the nadir.

    The subjects of all draws have the same etas, so that draws differ by the parameters alone.
    """
    asked = scenario.uncertainty
    if not asked.draws:
        return {}
    out: dict[str, list[np.ndarray]] = {}
    for k, arm in enumerate(scenario.arms):
        rows: dict[str, list[np.ndarray]] = {}
        for draw in range(asked.draws):
            told(f"arm {arm.name}, parameters {draw + 1}", (k + draw / asked.draws) / len(scenario.arms))
            small = replace(
                arm, model=redrawn(arm.model, scenario.seed, draw), size=min(arm.size or asked.size, asked.size)
            )
            ds = run_arm(replace(scenario, size=asked.size), small, threads=threads).dataset
            for grade in GRADES:
                rows.setdefault(f"p_grade{grade}_draw", []).append(
                    (ds["worst_grade"] >= grade).mean("subject").to_numpy()
                )
                if "observed_grade" in ds:
                    seen = (ds["observed_grade"] >= grade).mean("subject").to_numpy()
                    rows.setdefault(f"p_grade{grade}_seen_draw", []).append(seen)
            for name in ("nadir", "nadir_day"):
                rows.setdefault(f"{name}_draw", []).append(ds[name].median("subject").to_numpy())
        for name, values in rows.items():
            out.setdefault(name, []).append(np.stack(values, axis=-1))
    return {name: (("arm", "lineage", "draw"), np.stack(arms)) for name, arms in out.items()}
