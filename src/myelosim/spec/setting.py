"""What a rule is read for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from myelosim.grading import Table
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen


@dataclass(frozen=True)
class Setting:
    """Who is dosed with what for how many days, how counts are graded, which signs there are, and the usual turnaround (h)."""

    model: Model
    regimen: Regimen
    days: float
    grading: Table
    signs: Sequence[str]
    turnaround: float

    @property
    def study_drug(self) -> str:
        """The drug that an arm is about, where that is one: dosed (of an arm without doses: in the model), and no G-CSF."""
        known = self.model.drugs
        dosed = [drug for drug in self.regimen.drugs or known if drug in known and not known[drug].supportive]
        return dosed[0] if len(dosed) == 1 else ""
