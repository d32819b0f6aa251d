"""What ``simulate`` and ``sensitivity`` are asked: a model, a species, doses, and changes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from myelosim.errors import SpecError

if TYPE_CHECKING:
    from myelosim.spec.model import Model
    from myelosim.spec.regimen import Regimen

FORM = 'MODEL [SPECIES] "DOSE"..., e.g. cemsidomide human "100 ug QD d1-14 q28d x4"'


@dataclasses.dataclass(frozen=True)
class Request:
    """A model and what is given."""

    model: Model
    regimen: Regimen


def requested(
    what: Sequence[str],
    variant: str | None = None,
    gcsf: str | None = None,
    sensitivity: float | None = None,
    changes: Sequence[str] | None = None,
) -> Request:
    """Load the model, change it, and read the doses.

    Raises
    ------
    SpecError
        Something is not found, or cannot be.
    """
    from myelosim.spec.dosing import prescribed

    names, doses = what[0], list(what[1:])
    species = doses.pop(0) if doses and _bare(doses[0]) else None
    model = composed(names, species, variant, gcsf, sensitivity, hint=f"{names} human")
    if changes:
        model = model.replace(pairs(changes, "--set"))
    if not doses:
        raise SpecError(f'there is no dose; write {FORM}, or "none"')
    return Request(model, prescribed(doses, model))


def composed(
    names: str, species: str | None, variant: str | None, gcsf: str | None, sensitivity: float | None, *, hint: str
) -> Model:
    """Load a complete model, or compose one; ``hint`` is how this command is told a species."""
    from myelosim.spec.library import files, load_model

    known = files("species")
    if species is None and names in known:
        return load_model([], species=names, variant=variant, gcsf=gcsf, sensitivity=sensitivity)
    every = names.split(",")
    if species is None and all(_is_drug(name) for name in every):
        raise SpecError(
            f"{names}: whom is it given to? Name a species, e.g. {hint} (known: {', '.join(sorted(known))})"
        )
    return load_model(every, species=species, variant=variant, gcsf=gcsf, sensitivity=sensitivity)


def chosen(
    model: str | None, species: str | None, variant: str | None, gcsf: str | None, sensitivity: float | None,
    changes: Sequence[str] | None,
) -> Model:  # fmt: skip
    """Load the model that ``--model`` and what goes with it name.

    Raises
    ------
    SpecError
        None is named, or it is not found.
    """
    if model is None:
        raise SpecError(
            'which model? Give --model NAME, e.g. --model cemsidomide --species human ("myelosim models" lists them)'
        )
    made = composed(model, species, variant, gcsf, sensitivity, hint=f"--model {model} --species human")
    return made.replace(pairs(changes, "--set")) if changes else made


def _is_drug(name: str) -> bool:
    from myelosim.spec.document import read_toml
    from myelosim.spec.library import find

    path = find(name, ("published", "drugs"))
    return path is not None and read_toml(path).data.get("kind") == "drug"


def _bare(word: str) -> bool:
    return re.fullmatch(r"[A-Za-z]\S*", word) is not None and word != "none"


def columns_of(texts: Sequence[str] | None) -> dict[str, str]:
    """Return what ``--column`` says: what -> the column that holds it."""
    return {name: str(value) for name, value in pairs(texts or (), "--column").items()}


def pairs(texts: Sequence[str], option: str) -> dict[str, str | float]:
    """Read NAME=VALUE, each name once."""
    out: dict[str, str | float] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (equals and name and value):
            example = {"--column": "ID=animal", "--start": "neutrophil=3.2"}.get(option, 'neutrophil.mtt="110 h"')
            raise SpecError(f"{option} '{text}' is not understood; write {option} NAME=VALUE, e.g. {example}")
        if name in out:
            raise SpecError(f"{option} {name} is given twice; keep one of them")
        try:
            out[name] = float(value)
        except ValueError:
            out[name] = value
    return out


def start(model: Model, texts: Sequence[str] | None) -> dict[str, float]:
    """Read counts at time zero.

    Raises
    ------
    SpecError
        A text is not ``lineage=count``, or its unit does not fit.
    """
    from myelosim import units

    out = {}
    for name, value in pairs(texts or (), "--start").items():
        try:
            own = "g/dL" if name in ("hemoglobin", "erythroid") else "10^9/L"
            out[name] = value if isinstance(value, float) else units.parse(value, own)
        except ValueError as error:
            raise SpecError(f"--start {name}: {error}") from None
    return out
