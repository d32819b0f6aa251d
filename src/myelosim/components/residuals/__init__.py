"""The residuals components by name.

A residual component has ``TERMS``, ``DISTRIBUTION`` (what the standardized value follows: "normal" or "student") and

* ``sample(f, z, p)``: what is observed where the model says f, for a standard normal z;
* ``standardized(y, f, p, at=None)``: where y lies in that distribution, rising with y;
* ``log_density(y, f, p, at=None)``: the density of y, the transformation's Jacobian included;
* ``information(f, p, at=None)``: the expected information of one observation about f, -E[d2 log density/df2].

With ``at`` the size of the scatter is that at another prediction and no function of f (FOCE without interaction). Terms
listed in ``FIXED``, where a component has any, are plain floats: nothing has a derivative by them.
"""

from __future__ import annotations

from types import ModuleType

from myelosim.components.residuals import additive, box_cox, combined, counting, log_normal, proportional, student

KINDS: dict[str, ModuleType] = {
    "proportional": proportional,
    "additive": additive,
    "combined": combined,
    "log_normal": log_normal,
    "box_cox": box_cox,
    "counting": counting,
    "student": student,
}
