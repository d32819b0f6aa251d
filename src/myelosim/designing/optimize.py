"""The best design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from myelosim.blas import unthreaded
from myelosim.designing.criterion import Criterion
from myelosim.designing.design import Design
from myelosim.designing.task import prepared
from myelosim.spec.design import Alternative, Decision, Limits, OpenGroup, Robust
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen


@unthreaded
def optimize_design(
    model: Model, regimen: Regimen | str | Sequence[str] | None = None, *, candidate_days: Any = None,
    visits: int | tuple[int, int] | None = None, subjects: int | tuple[int, int] | None = None,
    lineages: Sequence[str] | None = None, observe: Sequence[str] | None = None, groups: Sequence[OpenGroup] | None = None,
    fixed_days: Any = None, gap: float | None = None, weekdays: bool | None = None, first_day: str | None = None,
    draw: float | str | None = None, limits: Limits | None = None, structure: str | None = None, parts: int | None = None,
    doses: Sequence[Regimen | str] | None = None, alternatives: Sequence[Alternative] = (),
    parameters: Sequence[str] | None = None, fixed: Sequence[str] | None = None, omega: Any = None,
    sigma: Mapping[str, Any] | None = None, iov: Any = None, covariates: Any = None,
    residual: Mapping[str, str] | None = None, priors: Any = None, blq: str = "m3", lloq: Mapping[str, Any] | None = None,
    fim: str = "reduced", linearization: str = "fo", criterion: str | Criterion = "D", interest: Sequence[str] | None = None,
    robust: Robust | None = None, decision: Decision | None = None, prior: Any = None, blood_loss: bool = False,
    search: str = "auto", starts: int | None = None, seed: int = 1, tolerance: float = 1e-8, threads: int | None = None,
) -> Design:  # fmt: skip
    """Choose days, doses and numbers of subjects so that a study tells most.

    All designs are looked at where they are few enough (about 400,000 matrices); else the best of several searches by exchange
    counts, each improved until no exchange helps. Either way the result says how much better any design could be.

    Parameters
    ----------
    model : Model
        What is designed for; its values are taken as true.
    regimen : Regimen, str or list of str, optional
        Doses of the one group there is; or give ``doses`` or ``groups``.
    candidate_days : list of float, or str
        Elapsed days that visits are chosen from, or ``"d1 weekly until d28"``.
    visits : int or (int, int)
        Visits of each subject, or the fewest and the most.
    subjects : int or (int, int)
        Subjects of that group, or the fewest and the most.
    lineages, observe : sequence of str, optional
        What is looked at, as for :func:`evaluate_design`.
    groups : sequence of OpenGroup, optional
        Several groups, each with doses, subjects, samplings and a structure of its own: ``from myelosim.spec.design import
        OpenGroup, OpenSampling``, where ``Limits``, ``Alternative``, ``Robust`` and ``Decision`` are, too.
    fixed_days : list of float, or str, optional
        Days on which everybody has a visit.
    gap : float, optional
        Least number of days between two visits of a subject.
    weekdays, first_day : bool, str, optional
        Whether there is no visit on a weekend, and what day of the week day 0 is ("monday").
    draw : float or str, optional
        Blood of one draw, mL. Default: the species'. Limits of the species on blood hold where the model has them.
    limits : Limits, optional
        These and other limits: capacity, budget and costs, subjects in all.
    structure : {"together", "alternating", "terminal"}, optional
        Whether all subjects have the same visits, ``parts`` of them visits of their own, or each only one.
    parts : int, optional
        Of an alternating group. Default: 2.
    doses : sequence of Regimen or str, optional
        Doses to choose one from.
    alternatives : sequence of Alternative, optional
        Days to compare with, beside those of the seeds and evenly spaced ones.
    search : {"auto", "exact", "exchange"}
        How to search. "exact" looks at all designs however long it takes.
    starts : int, optional
        Of the search by exchange. Default: 20, fewer where matrices are dear.
    parameters, fixed, omega, sigma, iov, covariates, residual, priors, blq, lloq, fim, linearization
        As for :func:`evaluate_design`.
    criterion, interest, robust, decision, prior
        As for :func:`evaluate_design`; "maximin" compares with the best allowed design of each world.
    blood_loss : bool
        Whether drawn blood is missing from the subjects afterwards: the best designs without that are judged again with it.
    seed, tolerance, threads
        Of random starts and "foce", of predictions, and processors used.

    Returns
    -------
    Design
        As from :func:`evaluate_design`. Its ``found`` holds ``how`` it was found, how many designs were ``looked`` at, whether
        the result is ``exact``, a lower ``bound`` of its efficiency among all designs, those included in which every subject has
        visits of its own (``bound_exact``: whether that is proven), ``cost``, and ``alternatives`` (a table).

    Raises
    ------
    SpecError
        There is no design within the limits (it says which of them leave none), or none that determines all parameters.

    Notes
    -----
    A number of visits or of subjects that is a range is chosen, too. With a budget it is that of the design that tells most;
    with costs and no budget, of the one that tells most for its cost. Else more is never worse, and the most are taken:
    :func:`design_front` shows what fewer would do.

    Examples
    --------
    >>> import myelosim as ms
    >>> model = ms.load_model("generic_oral_1cmt")
    >>> best = ms.optimize_design(
    ...     model, "drug 100 mg once", candidate_days=[0.05, 0.1, 0.25, 0.5, 1, 2], visits=3, subjects=12, observe=["drug"],
    ...     parameters=["drug.ka", "drug.cl", "drug.vc"], omega={"drug.cl": 0.09}, sigma={"drug.proportional": 0.15},
    ... )
    >>> best.days, best.found["how"]
    ([0.05, 0.25, 2.0], 'exact, all 20 designs')
    """
    return prepared(
        model, regimen, candidate_days=candidate_days, visits=visits, subjects=subjects, lineages=lineages, observe=observe,
        groups=groups, fixed_days=fixed_days, draw=draw, structure=structure, parts=parts, doses=doses, limits=limits, gap=gap,
        weekdays=weekdays, first_day=first_day, parameters=parameters, fixed=fixed, omega=omega, sigma=sigma, iov=iov,
        covariates=covariates, residual=residual, priors=priors, blq=blq, lloq=lloq, fim=fim, linearization=linearization,
        criterion=criterion, interest=interest, robust=robust, decision=decision, prior=prior, blood_loss=blood_loss,
        search=search, starts=starts, seed=seed, tolerance=tolerance, threads=threads,
    ).best(alternatives)  # fmt: skip
