"""What speaks against a design: what it cannot tell, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from myelosim.designing.blood import bled
from myelosim.designing.design import Design, DesignWarning

POOR = 50.0  # percent, of a relative standard error that is no answer
HEAVY = 0.3  # of a direction, from which on a parameter is named


def doubted(design: Design) -> Design:
    """Return the design with its warnings."""
    return replace(design, warnings=(*design.warnings, *identifiability(design), *bled(design)))


def identifiability(design: Design) -> list[DesignWarning]:
    """Return what is not determined, or hardly."""
    found, names = design.precision, np.array(design.names)
    warnings = []
    if np.any(found.blind):
        warnings.append(DesignWarning("blind", f"no look moves with {', '.join(names[found.blind])}"))
    lost = names[~found.determined & ~found.blind]
    if len(lost):
        warnings.append(DesignWarning("singular", f"these looks cannot tell {', '.join(lost)} from each other"))
    poor = [f"{name} {value:.0f} %" for name, value in design.rse.items() if POOR < value < np.inf]
    if poor:
        warnings.append(
            DesignWarning("imprecise", f"expected relative standard errors above {POOR:g} %: {', '.join(poor)}")
        )
    return warnings
