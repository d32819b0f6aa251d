"""A clinic without a simulation: counts are written down by day, and what it decides and gives is read off."""

from dataclasses import dataclass, field

import numpy as np

import myelosim as ms
from myelosim.rules import Calendar, Clinic
from myelosim.spec.dosing import resolve
from myelosim.spec.followed import followed_rules
from myelosim.spec.grading import load_grading
from myelosim.spec.regimen import Regimen
from myelosim.spec.rule import Conduct, Give, Transfuse

WELL = {"neutrophil": 4.0, "platelet": 200.0, "hemoglobin": 13.0}
LOWER = {"neutrophil": 2.0, "platelet": 150.0, "hemoglobin": 12.0}


@dataclass
class Course:
    """What became of the subjects: decisions as (day, what, day of effect), and by drug what was given on which day."""

    log: list = field(default_factory=list)
    given: dict = field(default_factory=dict)
    visits: list = field(default_factory=list)
    units: dict = field(default_factory=dict)
    clinic: Clinic = None

    @property
    def said(self):
        return [(day, what) for day, what, _ in self.log]


def human(drug="cemsidomide", variant="rrmm"):
    return ms.load_model(drug, species="human", variant=variant, gcsf="filgrastim")


def generic():
    return ms.load_model("generic_three_lineage")


def rules_of(rules, dose, model=None, days=84, conduct=None):
    """Read rules as `simulate` does."""
    model = model or generic()
    regimen = resolve(Regimen.parse(dose), model)
    table = load_grading("ctcae_v5")
    return model, regimen, table, followed_rules(rules, model, regimen, days, table, conduct or Conduct())


def follow(rules, dose, seen, visits, *, model=None, days=84, conduct=None, start=None, subject=0):
    """Follow one subject whose counts stay as they are until the next that ``seen`` gives (lineage -> day -> count).

    Lineages that ``seen`` leaves out are well. Returns a `Course`.
    """
    model, regimen, table, read = rules_of(rules, dose, model, days, conduct)
    events = regimen.expand(24.0 * days)
    doses = {
        drug: tuple(np.array(col) for col in zip(*[(e.time, e.amount) for e in events if e.drug == drug], strict=True))
        for drug in regimen.drugs
    }
    first = min((e.time for e in events), default=0.0)
    calendar = Calendar(doses, np.array(regimen.starts(24.0 * days)), first, 24.0 * np.array(visits, float))
    begin = {name: np.array([value]) for name, value in {**WELL, **(start or {})}.items()}
    signs = {
        s: {who: [24.0 * d for d in on] for who, on in noted.items()}
        for s, noted in (conduct or Conduct()).signs.items()
    }
    clinic = Clinic(read, calendar, list(model.drugs), begin, table, LOWER, signs)
    gives = [(r.name, a) for r in read if hasattr(r, "actions") for a in r.actions if isinstance(a, Give)]
    out = Course(clinic=clinic)
    hours = np.unique(
        [*np.arange(0.0, 24.0 * days + 1, 12.0), *(24.0 * np.array(visits, float)), *(e.time for e in events)]
    )
    for hour in hours:
        if (hour % 24.0 == 0.0 or hour / 24.0 in visits) and clinic.attends(hour)[0]:
            out.visits.append(hour / 24.0)
            clinic.look(hour, {name: np.array([_at(seen.get(name), hour, WELL[name])]) for name in WELL})
        for drug in doses:
            _add(out, drug, hour, clinic.planned(drug, hour)[0])
        for name, action in gives:
            _add(out, action.drug, hour, clinic.course(name, action, hour)[0])
    log = clinic.log.columns()
    out.log = [(float(d), str(w), float(e)) for d, w, e in zip(log["day"], log["what"], log["effect_day"], strict=True)]
    for one in clinic.orders.transfusions:
        if isinstance(one.by, Transfuse) and one.units[0]:
            out.units[one.hour / 24.0] = (one.by.lineage, float(one.units[0]))
    return out


def _add(out, drug, hour, amount):
    if amount:
        out.given.setdefault(drug, {})[hour / 24.0] = float(amount)


def _at(values, hour, well):
    days = [day for day in values or () if 24.0 * day <= hour + 1e-6]
    return values[max(days)] if days else well


def days_of(course, drug, low=0, high=10_000):
    """Return the days from low up to high on which a drug was given."""
    return [day for day in course.given.get(drug, {}) if low <= day < high]
