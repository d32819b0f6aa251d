"""Problems of choosing days, small enough to look at every answer."""

import numpy as np

import myelosim as ms
from myelosim.designing.allowed import Allowed, Rule
from myelosim.designing.asked import question_of
from myelosim.designing.opened import whole
from myelosim.designing.scoring import criterion_of
from myelosim.designing.space import Space
from myelosim.spec.design import Limits, OpenGroup, OpenSampling

ANC = {
    "lineages": ["neutrophil"],
    "parameters": ["neutrophil.baseline", "neutrophil.mtt", "neutrophil.gamma", "drug.neutrophil.slope"],
    "omega": {"neutrophil.baseline": 0.16, "neutrophil.mtt": 0.04, "drug.neutrophil.slope": 0.2025},
    "sigma": {"neutrophil.proportional": 0.2},
}
PK = {
    "parameters": ["drug.ka", "drug.cl", "drug.vc"],
    "omega": {"drug.cl": 0.09, "drug.vc": 0.04},
    "sigma": {"drug.proportional": 0.15},
}
DAYS = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0)


def anc():
    return ms.load_model("generic_oral_2cmt_friberg"), ms.Regimen.parse("drug 40 mg once")


def pk_group(name="all", *, subjects=(12, 12), visits=(3, 3), doses=("drug 100 mg once",), days=DAYS, fixed=(), **more):
    regimens = tuple(ms.Regimen.parse(dose) for dose in doses)
    return OpenGroup(name, regimens, subjects, (OpenSampling(("drug",), days, visits, fixed),), **more)


def pk_space(groups, limits=None, criterion="D"):
    model = ms.load_model("generic_oral_1cmt")
    every = [whole(group, k) for group in groups for k in range(len(group.regimens))]
    question = question_of(model, every, **PK)
    return Space((question,), groups, limits or Limits(), criterion_of(criterion, question))


def pk_best(groups, **more):
    return ms.optimize_design(ms.load_model("generic_oral_1cmt"), groups=groups, **PK, **more)


def plain(days, size, *, rules=(), fixed=(), draw=1.0):
    """What one sampling must keep to."""
    days = sorted(days)
    return Allowed(
        tuple((0, day) for day in days), (size,), np.array([day in fixed for day in days], bool), (draw,), tuple(rules)
    )


def window(name, days, span, most, *, of_blood=False):
    back = np.subtract.outer(sorted(days), sorted(days))
    return Rule(name, name, ((back >= 0) & (back < span - 1e-9)).astype(float), most, of_blood)
