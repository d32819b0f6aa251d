"""What a file says of what is estimated, as arguments of an estimation."""

from __future__ import annotations

from typing import Any

from myelosim.spec.believed import ALL
from myelosim.spec.coefficients import related
from myelosim.spec.document import Findings, Table, is_number, suggestion
from myelosim.spec.estimate import BLQ
from myelosim.spec.fit_entries import Entries, nested, read_entries
from myelosim.spec.literal import found
from myelosim.spec.model import Model
from myelosim.spec.parts import observables
from myelosim.spec.scatter import RESIDUALS, scatter

FREE = ("default", "listed")
KEYS = ("estimate", "covariate", "residual", "correlation", "priors")


def read_estimate(table: Table, model: Model | None) -> tuple[Model | None, dict[str, Any]]:
    """Read ``[estimate]``, ``[residual]``, ``[covariate]`` and what goes with them.

    Returns
    -------
    model : Model or None
        With parameters on the scales that are asked for.
    estimate : dict
        Arguments of :func:`myelosim.spec.estimate.estimation`.
    """
    blq, free = table.text("blq", "m3", allowed=BLQ), table.text("free", "default", allowed=FREE)
    if model is None:
        table.known.extend(KEYS)
        return None, {}
    entries = read_entries(table, model)
    said = {"blq": blq} | _arguments(table, entries, listed=free == "listed")
    said |= {"covariates": _covariates(table, model)} | _residual(table, model)
    return entries.model, {key: value for key, value in said.items() if value is not None and value != {}}


def _arguments(table: Table, entries: Entries, *, listed: bool) -> dict[str, Any]:
    """Return what ``[estimate]`` says as arguments of an estimation."""
    priors: dict[str, Any] = dict(entries.priors)
    everywhere = table.raw("priors", None)
    if everywhere is not None:
        if everywhere != "literature" and not (is_number(everywhere) and everywhere > 0):
            table.fail("priors", f'{found(everywhere)} is neither "literature" nor a weight above 0')
        priors[ALL] = everywhere
    return {
        **({"free": list(entries.free)} if listed else {"also": list(entries.free) or None}),
        "fixed": list(entries.fixed) or None,
        "omega": entries.omega or None, "iov": entries.iov, "priors": priors, "starts": entries.starts,
        "ranges": entries.ranges,
    }  # fmt: skip


def _covariates(table: Table, model: Model) -> dict[str, Any]:
    held = table.table("covariate")
    if held is None:
        return {}
    said = nested(held, {name for one in model.parameters for name in (one, one.rpartition(".")[2])})
    asked = {".".join(map(str, one.path[1:])): dict(one.data) for one in said}
    related(model, asked, held.findings, "covariate")
    return asked


def _residual(table: Table, model: Model) -> dict[str, Any]:
    """Read ``[residual]``: each observable's terms, and its kind where these do not tell."""
    sigma: dict[str, Any] = {}
    kinds: dict[str, str] = {}
    known = observables(model.lineages, model.drugs)
    for name, held in table.children("residual").items():
        if name not in known:
            held.fail(None, f"nothing called '{name}' is observed{suggestion(name, known)}")
            continue
        own = {f"{name}.{term}": value for term, value in held.data.items() if term != "kind"}
        kind = {name: held.text("kind", allowed=RESIDUALS)} if "kind" in held.data else {}
        scratch = Findings("")
        scatter(model, [name], own, kind, scratch)
        for message in scratch.messages:
            place, _, sentence = message.partition(": ")
            term = place.rpartition(".")[2]
            held.fail(term if term in held.data else None, sentence)
        sigma |= own
        kinds |= kind
    return {"sigma": sigma, "residual": kinds}
