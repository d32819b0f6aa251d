"""What a design that is given promises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from myelosim.blas import unthreaded
from myelosim.designing.asked import groups_of, question_of
from myelosim.designing.criterion import Criterion
from myelosim.designing.design import Design, scored
from myelosim.designing.doubts import doubted
from myelosim.designing.robust import everyday
from myelosim.designing.scoring import criterion_over
from myelosim.spec.design import Decision, Group, Robust
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen


@unthreaded
def evaluate_design(
    model: Model, regimen: Regimen | str | Sequence[str] | None = None, *, days: Any = None, subjects: int | None = None,
    lineages: Sequence[str] | None = None, observe: Sequence[str] | None = None, times: Sequence[float] | None = None,
    groups: Sequence[Group] | None = None, parameters: Sequence[str] | None = None, fixed: Sequence[str] | None = None,
    omega: Any = None, sigma: Mapping[str, Any] | None = None, iov: Any = None, covariates: Any = None,
    residual: Mapping[str, str] | None = None, priors: Any = None, blq: str = "m3", lloq: Mapping[str, Any] | None = None,
    fim: str = "reduced", linearization: str = "fo", criterion: str | Criterion = "D", interest: Sequence[str] | None = None,
    robust: Robust | None = None, decision: Decision | None = None, prior: Any = None, blood_loss: bool = False,
    draw: float | str | None = None, seed: int = 1, tolerance: float = 1e-8, threads: int | None = None,
) -> Design:  # fmt: skip
    """Evaluate a design: how precisely the parameters will be known.

    The population Fisher information by linearization in the random effects; see :mod:`myelosim.information.fisher`.

    Parameters
    ----------
    model : Model
        What is designed for; its values are taken as true.
    regimen : Regimen, str or list of str, optional
        Doses of the one group there is; or give ``groups``.
    days : list of float, or str
        Elapsed days of visits, or ``"d1 weekly until d28"``.
    subjects : int
        Subjects of that group.
    lineages : sequence of str, optional
        Lineages counted at each visit. Default: all of the model.
    observe : sequence of str, optional
        Observables looked at, drugs (their concentrations) among them, instead of ``lineages``.
    times : sequence of float, optional
        Hours of visits, instead of ``days``.
    groups : sequence of Group, optional
        Several groups, each with its doses, subjects and samplings: ``from myelosim.spec.design import Group, Sampling``,
        where ``Robust`` and ``Decision`` are, too.
    parameters, fixed : sequence of str, optional
        What is estimated, and what of the usual is not; ``free`` and ``fixed`` of :func:`myelosim.fit`.
    omega, sigma, iov, covariates, residual, priors, blq
        As for :func:`myelosim.fit`: variances of etas, standard deviations of errors ...; default the model's own.
    lloq : mapping, optional
        Observable -> limit of quantification, as a number in its unit or text with one.
    fim : {"reduced", "full"}
        Whether the variances' dependence on thetas counts. Reduced is closer to what fits find.
    linearization : {"fo", "foce"}
        Around the typical subject, or the mean of matrices around subjects drawn from the population.
    criterion : str or Criterion
        "D", "Ds" (of ``interest``) or "A"; "ED" or "maximin" (of D, or Ds, over worlds); or what is decided: "nadir",
        "nadir_day", "risk", "dose". With "maximin" a world's score is over that of looking every day, see
        :func:`myelosim.designing.robust.everyday`.
    interest : sequence of str, optional
        Parameters that "Ds" is about.
    robust : Robust, optional
        What is uncertain in "ED" and "maximin". Default: what has a prior, or a standard error in the model.
    decision : Decision, optional
        What a criterion of that name is about.
    prior : Fit, Design, pandas.DataFrame, "model" or path, optional
        Information that is there already: an earlier study's fit, the folder it was saved in, or a design; a matrix named as
        ``design.fim``; or the standard errors of the model's parameters. The values are the model's, so that after a fit
        ``fit.model`` is what to design for. What is not estimated here counts as unknown, and priors that the fit had
        count once.
    blood_loss : bool
        Whether drawn blood is missing from the subjects afterwards.
    draw : float or str, optional
        Blood of one draw, mL. Default: the species'.
    seed, tolerance, threads
        Of "foce", of predictions, and processors used.

    Returns
    -------
    Design
        ``rse`` (name -> percent), ``fim``, ``criterion``, ``warnings``, ``shrinkage``, ``calendar`` ...

    Raises
    ------
    SpecError
        Something that is asked for cannot be. That a design does not determine a parameter is a warning: its ``rse`` is infinite.

    Examples
    --------
    >>> import myelosim as ms
    >>> model = ms.load_model("generic_oral_1cmt")
    >>> design = ms.evaluate_design(
    ...     model, "drug 100 mg once", times=[1, 4, 12, 24], subjects=12, observe=["drug"],
    ...     parameters=["drug.ka", "drug.cl", "drug.vc"], omega={"drug.cl": 0.09}, sigma={"drug.proportional": 0.15},
    ... )
    >>> round(design.rse["drug.cl"], 1)
    16.2

    Two groups, one on vehicle:

    >>> from myelosim.spec.design import Group, Sampling
    >>> looked = (Sampling(("neutrophil",), (0.0, 5.0, 10.0, 14.0)),)
    >>> two = ms.evaluate_design(
    ...     ms.load_model("generic_oral_2cmt_friberg"), parameters=["neutrophil.baseline", "drug.neutrophil.slope"], groups=[
    ...         Group("vehicle", ms.Regimen.parse("none"), 6, looked),
    ...         Group("dosed", ms.Regimen.parse("drug 40 mg once"), 12, looked),
    ...     ],
    ... )
    >>> two.subjects
    18
    """
    shaped = groups_of(
        model, regimen, days=days, subjects=subjects, lineages=lineages, observe=observe, times=times, groups=groups, draw=draw
    )  # fmt: skip
    question = question_of(
        model, shaped, parameters=parameters, fixed=fixed, omega=omega, sigma=sigma, iov=iov, covariates=covariates,
        residual=residual, priors=priors, blq=blq, lloq=lloq, fim=fim, linearization=linearization, prior=prior,
        blood_loss=blood_loss, seed=seed, tolerance=tolerance, threads=threads,
    )  # fmt: skip
    worlds, scoring = criterion_over(
        criterion, question, interest, robust=robust, decision=decision, best=everyday(shaped)
    )
    return doubted(scored(question, shaped, scoring, worlds=worlds))
