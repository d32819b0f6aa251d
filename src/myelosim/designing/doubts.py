"""What speaks against a design: what it cannot tell, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from myelosim.designing.blood import bled
from myelosim.designing.design import Design, DesignWarning
from myelosim.designing.identifiability import POOR, weaknesses
from myelosim.information.sensitivity import NOTHING

WIDE = 0.5  # standard deviation of an eta on the log or logit scale, from which on linearization is doubtful
SHRUNK = 50.0  # percent of an eta's variance
TRACE = 1e-3  # of the largest concentration, under which a measurement is doubtful
UNTOLD = 99.0  # percent, from which on a group's looks tell nothing of an eta, as a drug's where none is given


def doubted(design: Design) -> Design:
    """Return the design with its warnings."""
    own = [DesignWarning("model", text) for text in design.question.model.warnings]
    earlier = [DesignWarning("prior", text) for text in design.question.doubts]
    return replace(design, warnings=(*own, *design.warnings, *earlier, *identifiability(design), *bled(design)))


def identifiability(design: Design) -> list[DesignWarning]:
    """Return what is not determined, or hardly, and where linearization or individual values are doubtful."""
    found, names = design.precision, np.array(design.names)
    warnings = []
    if np.any(found.blind):
        warnings.append(DesignWarning("blind", f"no look moves with {', '.join(names[found.blind])}"))
    lost = names[~found.determined & ~found.blind]
    if len(lost):
        weak = [one.what for one in weaknesses(design) if np.isinf(one.rse) and one.names[0] not in names[found.blind]]
        said = "; ".join(weak) or "these looks cannot tell all parameters from each other"
        warnings.append(DesignWarning("singular", f"{said}; no standard error for {', '.join(lost)}"))
    poor = [f"{name} {value:.0f} %" for name, value in design.rse.items() if POOR < value < np.inf]
    if poor:
        warnings.append(
            DesignWarning("imprecise", f"expected relative standard errors above {POOR:g} %: {', '.join(poor)}")
        )
    return [*warnings, *_linearized(design), *_shrunk(design), *_unmeasurable(design)]


def _linearized(design: Design) -> list[DesignWarning]:
    """Return where etas are too large for a linearization around the typical subject."""
    est, of = design.question.estimation, design.question.model.parameters
    wide = [
        f"{name} {np.sqrt(variance):.2g}"
        for own in (est.omega, est.occasion)
        for name, variance in zip(own.names, np.diag(own.start), strict=True)
        if variance > WIDE**2 and of[name].scale != "identity"
    ]
    if not wide or design.question.linearization != "fo":
        return []
    return [
        DesignWarning(
            "linearization",
            f"standard deviations of etas above {WIDE:g} ({', '.join(wide)}): the typical subject stands badly for all; "
            "compare with linearization = 'foce', and verify by simulation",
        )
    ]


def _shrunk(design: Design) -> list[DesignWarning]:
    """Return whose individual values the looks leave unknown."""
    most = []
    for name, row in design.shrinkage.iterrows():
        own = row[row < UNTOLD] if row.min() < UNTOLD else row
        if own.max() > SHRUNK:
            where = f" in {own.idxmax()}" if own.min() <= SHRUNK else ""
            most.append(f"{name} {own.max():.0f} %{where}")
    if not most:
        return []
    listed = ", ".join(most)
    return [
        DesignWarning(
            "shrinkage",
            f"subjects' own looks leave more than {SHRUNK:g} % of the variance of etas unknown ({listed}): individual values will "
            "be near the typical one, and plots of them misleading",
        )
    ]


def _unmeasurable(design: Design) -> list[DesignWarning]:
    """Return which concentrations may be too small for any assay, no limit of quantification being given."""
    said = []
    for name in sorted(set(design.question.model.drugs) - set(design.question.lloq or {})):
        parts = [one.f[0][[look.observable == name for look in one.looks]] for one in design.sensitivities]
        f = np.concatenate(parts)
        f = f[f > NOTHING * np.max(f, initial=0.0)]
        if len(f) and f.min() < TRACE * f.max():
            said.append(f"{name} from {f.max():.2g} down to {f.min():.2g}")
    if not said:
        return []
    return [
        DesignWarning(
            "lloq",
            f"typical concentrations ({'; '.join(said)}) count as measured however small; give the assay's limit, lloq",
        )
    ]
