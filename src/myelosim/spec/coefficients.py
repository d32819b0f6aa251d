"""Effects of covariates on parameters, and the names under which their coefficients are estimated."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec.change import full_name
from myelosim.spec.document import Findings, Table
from myelosim.spec.entry import COVARIATE_UNITS
from myelosim.spec.literal import found
from myelosim.spec.model import Model
from myelosim.spec.named import parameter_name

FORMS = {"power": "exponent", "linear": "slope", "category": ""}


@dataclass(frozen=True)
class Coefficient:
    """A number in the relation of a parameter to a covariate: an exponent, a slope, or the factor of a category."""

    parameter: str
    covariate: str
    key: str
    category: bool = False

    @property
    def name(self) -> str:
        """``<parameter>.<covariate>``, and ``.<category>``."""
        return f"{self.parameter}.{self.covariate}" + (f".{self.key}" if self.category else "")

    def __str__(self) -> str:
        return self.name

    @property
    def scale(self) -> str:
        """A factor is estimated on the log scale."""
        return "log" if self.category else "identity"

    def value(self, model: Model) -> float:
        """Return the number as the model has it."""
        return float(model.parameters[self.parameter].covariates[self.covariate][self.key])

    def unit(self) -> str:
        """Return the unit: a slope is per unit of the covariate."""
        unit = COVARIATE_UNITS.get(self.covariate, "1")
        return f"1/{unit}" if self.key == "slope" and not self.category and unit != "1" else "1"


def coefficients(model: Model, parameter: str, covariate: str) -> list[Coefficient]:
    """Return what can be estimated of one relation; the category whose factor is 1 is what others are compared with."""
    relation = model.parameters[parameter].covariates[covariate]
    if "reference" in relation:
        key = "slope" if "slope" in relation else "exponent"
        return [Coefficient(parameter, covariate, key)]
    usual = next((category for category, factor in relation.items() if factor == 1.0), None)
    return [Coefficient(parameter, covariate, category, True) for category in relation if category != usual]


def named(model: Model, name: str) -> list[Coefficient]:
    """Return the coefficients that a name means: one, all of a categorical covariate, or none if it means none."""
    parts = name.split(".")
    for length in (len(parts) - 1, len(parts) - 2):
        try:
            parameter = full_name(model, ".".join(parts[:length]))
        except SpecError:
            continue
        covariate, category = parts[length], parts[length + 1 :]
        if covariate in model.parameters[parameter].covariates:
            every = coefficients(model, parameter, covariate)
            return [one for one in every if not category or (one.category and one.key == category[0])]
    return []


def related(
    model: Model, covariates: Mapping[str, Mapping[str, Any]], findings: Findings, argument: str = "covariates"
) -> tuple[Model, tuple[Coefficient, ...]]:
    """Return the model with relations added or replaced, and the coefficients that are to be estimated.

    ``covariates`` maps a parameter to ``{covariate: {"form", "reference", "start", "fixed"}}``; an empty inner mapping
    is a relation that the model has already.
    """
    free: list[Coefficient] = []
    for name, relations in covariates.items():
        path = (argument, name)
        full = parameter_name(model, name, findings, path)
        if full is None:
            continue
        if not isinstance(relations, Mapping):
            findings.add(path, f'{found(relations)} is not a covariate; give {{ weight = {{ form = "power" }} }}')
            continue
        for covariate, said in relations.items():
            if not isinstance(said, Mapping):
                findings.add((*path, covariate), f'{found(said)} is not a relation; give {{ form = "power" }}')
                continue
            table = Table(said, (*path, covariate), findings)
            before = len(findings.messages)
            model = _with(model, full, covariate, table)
            fixed = table.boolean("fixed", False)
            table.finish(("form", "reference", "start"))
            if len(findings.messages) == before and not fixed:
                free += coefficients(model, full, covariate)
    return model, tuple(free)


def _with(model: Model, name: str, covariate: str, table: Table) -> Model:
    """Return the model with one relation, and with the covariate where it does not know it."""
    parameter = model.parameters[name]
    if "form" not in table.data:
        if covariate not in parameter.covariates:
            table.fail(None, f"{name} has no relation to {covariate} yet; give form, one of {', '.join(FORMS)}")
        elif table.data.keys() & {"reference", "start"}:
            table.fail(None, "changes a relation of the model; say its form too")
        return model
    form, known = table.text("form", allowed=FORMS), model.subjects.covariates
    if form not in FORMS:
        return model
    relation, typical = _category(table, known.get(covariate)) if form == "category" else _number(
        table, covariate, FORMS[form], known.get(covariate)
    )  # fmt: skip
    if not relation:
        return model
    changed = dataclasses.replace(parameter, covariates={**parameter.covariates, covariate: relation})
    subjects = dataclasses.replace(model.subjects, covariates={covariate: typical, **known})
    return dataclasses.replace(model, parameters={**model.parameters, name: changed}, subjects=subjects)


def _number(table: Table, covariate: str, key: str, typical: Any) -> tuple[dict[str, float], Any]:
    if isinstance(typical, str):
        table.fail("form", f"{covariate} is '{typical}' in the model, a category; give form = \"category\"")
        return {}, None
    if typical is None and "reference" not in table.data:
        table.fail(None, "'reference' is missing, and the model does not know the covariate; give the typical value")
        return {}, None
    low = 1e-9 if key == "exponent" else -1e9
    reference = table.quantity("reference", COVARIATE_UNITS.get(covariate, "1"), typical, low=low, high=1e9)
    start = table.number(
        "start", 0.0, low=-10.0 if key == "exponent" else -1e9, high=10.0 if key == "exponent" else 1e9
    )
    return {"reference": reference, key: start}, reference


def _category(table: Table, typical: Any) -> tuple[dict[str, float], Any]:
    """Read ``{"form": "category", "reference": "male", "start": {"female": 0.9}}``."""
    reference = table.text("reference", typical) if isinstance(typical, str) else table.text("reference")
    start = table.table("start", required=True)
    if start is None or not reference:
        return {}, None
    factors = {str(name): start.number(name, low=1e-6, high=1e6) for name in start.data if name != reference}
    if not factors:
        start.fail(None, f"has no category beside '{reference}'; give each its factor")
    if typical is not None and str(typical) not in (*factors, reference):
        start.fail(None, f"the typical subject is '{typical}', which has no factor; add it")
    return {reference: 1.0, **factors}, reference
