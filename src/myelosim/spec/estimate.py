"""What a fit estimates, resolved from a model, from what was observed, and from what is asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec import coefficients as relations
from myelosim.spec.believed import Prior, believed, between, between_coefficient
from myelosim.spec.coefficients import Coefficient
from myelosim.spec.declared import of_model
from myelosim.spec.document import Findings, suggestion
from myelosim.spec.estimation import Estimation, Theta
from myelosim.spec.etas import NONE, Known, read_iov, read_omega, usual_omega
from myelosim.spec.literal import found
from myelosim.spec.model import Model
from myelosim.spec.named import parameter_name
from myelosim.spec.parts import observables
from myelosim.spec.reach import reach, stuck
from myelosim.spec.scatter import scatter

BLQ = ("m3", "m1")


def estimation(
    model: Model,
    observed: Sequence[str],
    given: Collection[str] = (),
    *,
    omega: Any = None,
    sigma: Mapping[str, Any] | None = None,
    free: Sequence[str] | None = None,
    fixed: Sequence[str] | None = None,
    priors: Any = None,
    iov: Mapping[str, Any] | str | None = None,
    covariates: Mapping[str, Mapping[str, Any]] | None = None,
    residual: Mapping[str, str] | None = None,
    blq: str = "m3",
    dosed: Collection[str] | None = None,
    starts: Mapping[str, Any] | None = None,
    also: Sequence[str] = (),
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> tuple[Model, Estimation]:
    """Resolve what a fit estimates, and from where it starts.

    By default the parameters of observed lineages and of the effects on them are free, and the kinetics of a drug whose
    concentration is observed, unless a data column gives them, the file says ``estimate = false``, a value is the
    component's own (evidence "default") or a setting that data say nothing of, or it sits where its scale ends.

    Parameters
    ----------
    model : Model
        Its values are the starts.
    observed : sequence of str
        Observables: lineage coordinates ("hemoglobin" for the erythroid lineage) and drugs.
    given : collection of str
        Parameters that data columns give; they are never estimated.
    omega : mapping, pandas.DataFrame or (names, matrix), optional
        Variances of etas by name, ``{"variance": 0.04, "fixed": True}`` for one that stays, a nested mapping or a matrix for
        covariances; exactly these etas exist. Default: the model's own variances and correlations.
    sigma : mapping, optional
        ``<observable>.<term>`` -> standard deviation, or ``{"start": 0.2, "fixed": True}``; the terms tell the kind of error.
        Default: the model's own.
    free : sequence of str, optional
        What is estimated, instead of the default: parameters, and coefficients ``<parameter>.<covariate>``.
    fixed : sequence of str, optional
        What is not, of the default; an eta of it stays.
    priors : "literature", number or mapping, optional
        See :func:`myelosim.spec.believed.believed`.
    iov : mapping or "model", optional
        Name -> variance between the occasions of a subject; "model" for those of an earlier fit. Default: none.
    covariates : mapping, optional
        Parameter -> ``{covariate: {"form": "power" | "linear" | "category", "reference", "start", "fixed"}}``: relations to
        estimate; an empty inner mapping is one that the model has.
    residual : mapping, optional
        Observable -> kind of error, where the terms of ``sigma`` do not tell.
    blq : {"m3", "m1"}
        What becomes of values below the limit of quantification: their probability counts, or they are left out.
    dosed : collection of str, optional
        Drugs that anyone is given; effects of others are not estimated. Default: all.
    starts : mapping, optional
        Name -> value to start from, and to stay at where it is fixed, as :meth:`Model.replace` takes it. Default: the model's.
    also : sequence of str
        What is estimated beside the default, or beside ``free``.
    ranges : mapping, optional
        Name -> lowest and highest value of further starts, in the parameter's unit.

    Returns
    -------
    model : Model
        With the starts, and with the relations to covariates that are added.
    estimation : Estimation
        Thetas in the order of the model (of ``free``, if given), coefficients last.

    Raises
    ------
    SpecError
        Something cannot be; everything that is wrong is said together.
    """
    findings = Findings(f"fit of {model.name}")
    known = observables(model.lineages, model.drugs)
    for name in observed:
        if name not in known:
            findings.add(("data",), f"the model has nothing that is observed as '{name}'{suggestion(name, known)}")
    findings.check()
    if blq not in BLQ:
        findings.add(("blq",), f"{found(blq)} is not known{suggestion(str(blq), BLQ)}")
    model, added = relations.related(model, covariates or {}, findings)
    columns = {full for name in given if (full := parameter_name(model, name, findings, ("data",))) is not None}
    before, model = model, _started(model, starts or {}, findings)
    told = reach(model, observed, dosed)
    asked = Known(model, told, columns, reach(model, observed).all - told.all)
    names, moved = _free(asked, free, also, fixed, added, findings)
    beliefs = believed(before, names, priors, findings)
    every = {
        full: ends
        for name, ends in (ranges or {}).items()
        if (full := parameter_name(model, name, findings, ("ranges",)))
    }
    etas = usual_omega(asked) if omega is None else read_omega(asked, omega, findings)
    occasion = NONE if iov is None else read_iov(asked, iov, findings)
    errors, sigmas = scatter(model, list(dict.fromkeys(observed)), sigma, residual, findings)
    findings.check()
    thetas = (
        *(_theta(model, name, beliefs.get(name), every.get(name)) for name in names),
        *(_coefficient(model, one) for one in moved),
    )
    return model, Estimation(thetas, etas, occasion, sigmas, errors, blq)


def _free(
    asked: Known,
    free: Sequence[str] | None,
    also: Sequence[str],
    fixed: Sequence[str] | None,
    added: tuple[Coefficient, ...],
    findings: Findings,
) -> tuple[list[str], list[Coefficient]]:
    """Return the parameters and the coefficients that are estimated."""
    held, still = _listed(asked.model, fixed, "fixed", findings)
    usual = [] if free is not None else [name for name in asked.reach.own if _by_default(asked, name)]
    names, wanted = _listed(asked.model, [*([free] if isinstance(free, str) else free or ()), *also], "free", findings)
    moved = list(dict.fromkeys([*wanted, *added]))
    for name in names:
        if sentence := _refused(asked, name):
            findings.add(("free", name), sentence)
    for one in (*names, *wanted):
        if one in (*held, *still):
            findings.add(("fixed", str(one)), "is in free, too; leave it out of one")
    names = list(dict.fromkeys([*usual, *names]))
    return [name for name in names if name not in held], [one for one in moved if one not in still]


def _started(model: Model, starts: Mapping[str, Any], findings: Findings) -> Model:
    try:
        return model.replace(starts, source="start of a fit")
    except SpecError as error:
        findings.add(("starts",), str(error))
        return model


def _listed(
    model: Model, names: Sequence[str] | None, argument: str, findings: Findings
) -> tuple[list[str], list[Coefficient]]:
    """Return the parameters and coefficients that a list names, each once."""
    parameters: dict[str, None] = {}
    coefficients: dict[Coefficient, None] = {}
    for name in [names] if isinstance(names, str) else names or ():
        if isinstance(name, str) and (several := relations.named(model, name)):
            coefficients |= dict.fromkeys(several)
        elif (full := parameter_name(model, name, findings, (argument,))) is not None:
            parameters[full] = None
    return list(parameters), list(coefficients)


def _by_default(asked: Known, name: str) -> bool:
    parameter = asked.model.parameters[name]
    return (
        name not in asked.given
        and parameter.estimate
        and parameter.evidence != "default"
        and not of_model(asked.model)[name].setting
        and not stuck(asked.model, name)
    )


def _refused(asked: Known, name: str) -> str:
    """Return why a parameter that is asked for cannot be estimated, empty if it can."""
    if name in asked.given:
        return "is given by a data column, subject by subject; leave it out of free, or the column out of the data"
    return asked.silent(name) or stuck(asked.model, name)


def _theta(model: Model, name: str, prior: Prior | None, ends: tuple[float, float] | None) -> Theta:
    parameter = model.parameters[name]
    low, high = between(model, name, prior) if ends is None else ends
    return Theta(name, parameter.value, parameter.unit, parameter.scale, low, high, prior)


def _coefficient(model: Model, one: Coefficient) -> Theta:
    low, high = between_coefficient(model, one)
    return Theta(one.name, one.value(model), one.unit(), one.scale, low, high)
