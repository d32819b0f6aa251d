"""Names that an argument of a fit gives, found in the model."""

from __future__ import annotations

from typing import Any

from myelosim.errors import SpecError
from myelosim.spec.change import full_name
from myelosim.spec.document import Findings
from myelosim.spec.lines import Path
from myelosim.spec.literal import found
from myelosim.spec.model import Model


def parameter_name(model: Model, name: Any, findings: Findings, path: Path) -> str | None:
    """Return the full name of a parameter; None, with a finding at ``path``, if it is none."""
    if not isinstance(name, str):
        findings.add(path, f"{found(name)} is not the name of a parameter")
        return None
    try:
        return full_name(model, name)
    except SpecError as error:
        findings.add(path, str(error).removeprefix(f"model {model.name}: "))
        return None
