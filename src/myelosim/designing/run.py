"""Designs that a file describes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from myelosim.designing.allowed import allowed
from myelosim.designing.decision import predict
from myelosim.designing.design import Design, DesignWarning
from myelosim.designing.evaluate import evaluate_design
from myelosim.designing.feasible import Program, Unit
from myelosim.designing.instead import instead, named, settled
from myelosim.designing.opened import limited
from myelosim.designing.optimize import optimize_design
from myelosim.designing.predicted import Deciding, Predicted
from myelosim.designing.windows import windows
from myelosim.errors import SpecError
from myelosim.spec import design as spec
from myelosim.spec.designs import load_design

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARGUMENTS = {"free": "parameters"}  # what an estimation calls it -> what a design does
REACH = 3.0  # days that a visit may slip at most
OVER = ("ED", "maximin")  # criteria over several worlds

Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class Outcome:
    """What a design file led to.

    Attributes
    ----------
    asked : spec.design.Design
        What the file says.
    design : Design
        The proposed design: the best one, or the one that the file gives.
    alternatives : mapping
        Name -> design with other days, the groups being as they are.
    windows : pandas.DataFrame or None
        How far visits may slip, see :func:`myelosim.designing.windows.windows`.
    verified : pandas.DataFrame or None
        Expected and empirical errors, see :func:`myelosim.designing.verify.verify`.
    chosen : bool
        Whether the design was chosen among others, and not only evaluated.
    front : pandas.DataFrame or None
        What more visits and subjects buy, see :func:`myelosim.designing.front.design_front`.
    decided : Predicted or None
        What is to be decided, where the file has a [decision]; see :func:`myelosim.designing.decision.predict`.
    """

    asked: spec.Design
    design: Design
    alternatives: Mapping[str, Design] = field(default_factory=dict)
    windows: pd.DataFrame | None = None
    verified: pd.DataFrame | None = None
    chosen: bool = True
    front: pd.DataFrame | None = None
    decided: Predicted | None = None

    @property
    def designs(self) -> dict[str, Design]:
        """The proposed design and the alternatives, by name."""
        return {"proposed": self.design, **self.alternatives}

    @property
    def rse(self) -> pd.DataFrame:
        """Expected relative standard errors, percent: a row a name, a column a design; ``value`` before them."""
        columns = {name: pd.Series(dict(one.rse)) for name, one in self.designs.items()}
        return pd.DataFrame({"value": self.design.table["value"], **columns}).rename_axis("name")

    @property
    def decision(self) -> pd.DataFrame | None:
        """How sure the decision will be with each design: ``value``, ``unit``, ``se``, ``low`` and ``high`` (95 %)."""
        one = self.decided
        if one is None:
            return None
        rows = []
        for design in self.designs.values():
            low, high = one.interval(design.information)
            rows.append(
                {"value": one.value, "unit": one.unit, "se": one.error(design.information), "low": low, "high": high}
            )
        return pd.DataFrame(rows, index=pd.Index(self.designs, name="design"))

    @property
    def efficiency(self) -> dict[str, float]:
        """The share of the proposed design's subjects that would do as well as each design does."""
        table = self.design.found.get("alternatives")
        known = {} if table is None else dict(zip(table["design"], table["efficiency"], strict=True))
        over = self.asked.criterion in OVER
        return {
            name: known.get(name, float("nan")) if over and name != "proposed" else one.efficiency(self.design)
            for name, one in self.designs.items()
        }

    def report(self) -> str:
        """Return the calendar, the expected errors and what must be said of them, as text."""
        from myelosim.designing.report import report

        return report(self)

    def draw(self) -> Figure:
        """Draw typical counts, what they tell of each parameter, the days, and how good alternatives are."""
        from myelosim.designing.pictured import draw

        return draw(self)

    def save(self, folder: str | os.PathLike[str], *, figure: bool = True, overwrite: bool = False) -> list[Path]:
        """Write the files of the design into a folder; see :func:`myelosim.designing.save.save`."""
        from myelosim.designing.save import save

        return save(self, Path(folder), figure=figure, overwrite=overwrite)


def run_design(
    source: spec.Design | str | os.PathLike[str] | Mapping[str, Any], *, seed: int | None = None, verify: int = 0,
    processes: int = 1, threads: int | None = None, tell: Tell | None = None,
) -> Outcome:  # fmt: skip
    """Do what a design file says: choose the best design, or evaluate the one that leaves no choice.

    Parameters
    ----------
    source : Design of a file, str, path or mapping
        A design, its name or file, or what a file would say.
    seed : int, optional
        In the place of the file's.
    verify : int
        How often the study is simulated and fitted; 0 for never.
    processes, threads : int, optional
        Processes for that, and threads for predictions; the result does not depend on them.
    tell : callable, optional
        Called with what is being done and the fraction done.

    Returns
    -------
    Outcome
        The design, its alternatives, windows, and what the check found; ``report()`` and ``save(folder)``.

    Raises
    ------
    SpecError
        The file says something that cannot be, or there is no design within its limits.

    Examples
    --------
    >>> import myelosim as ms
    >>> found = ms.run_design({
    ...     "model": "generic_oral_2cmt_friberg", "candidate_days": [0, 3, 5, 7, 10, 14, 21], "visits": 4, "free": "listed",
    ...     "estimate": {"neutrophil.baseline": {"omega": 0.1}, "neutrophil.mtt": {}, "drug.neutrophil.slope": {}},
    ...     "group": [{"name": "all", "dose": "40 mg once", "subjects": 20}],
    ... })
    >>> len(found.design.days)
    4
    """
    told: Tell = tell or (lambda doing, done: None)
    asked = source if isinstance(source, spec.Design) else load_design(source)
    if seed is not None:
        asked = replace(asked, seed=seed)
    if verify != 0 and verify < 2:
        raise SpecError(
            f"verify: {verify} times tells no error; give a whole number from 2 on, such as 200, or 0 for never"
        )
    bought = None
    if asked.front is not None:
        from myelosim.designing.front import design_front

        told("more visits and subjects", 0.0)
        bought = design_front(asked, wanted=asked.front.wanted, numbers=asked.front.numbers or None, threads=threads)
    fixed = settled(asked)
    told("evaluating" if fixed else "searching", 0.1)
    arguments = arguments_of(asked) | {"threads": threads}
    if fixed:
        _possible(asked)
        design = evaluate_design(asked.model, groups=named(asked), **arguments)
    else:
        design = optimize_design(
            asked.model, groups=asked.groups, limits=asked.limits, alternatives=asked.alternatives, **arguments
        )
    told("comparing", 0.6)
    decided = design.scored_by.about if isinstance(design.scored_by, Deciding) else None
    if decided is None and asked.decision is not None:
        try:
            decided = predict(design.question, asked.decision)
        except SpecError as error:
            design = replace(design, warnings=(*design.warnings, DesignWarning("decision", str(error))))
    others = {one.name: instead(asked, design, one.days) for one in asked.alternatives}
    slips = None
    if asked.windows is not None and asked.criterion not in OVER:
        told("windows", 0.8)
        with suppress(SpecError):  # the design does not tell what its criterion asks for: its warnings say so
            slips = windows(design, asked.windows, reach=REACH, seed=asked.seed)
    verified = None
    if verify:
        from myelosim.designing.verify import verify as checked

        told("simulating and fitting", 0.0)
        verified = checked(
            design, verify, asked.seed, processes=processes,
            tell=lambda done, of: told(f"simulating and fitting: {done} of {of}", done / of),
        )  # fmt: skip
        if doubts := verified.attrs["doubts"]:
            text = f"no chance: {'; '.join(doubts)}; go by the empirical errors, or look at more, or more subjects"
            design = replace(design, warnings=(*design.warnings, DesignWarning("verify", text)))
    return Outcome(asked, design, others, slips, verified, not fixed, bought, decided)


def _possible(asked: spec.Design) -> None:
    """Refuse days that are given and that the limits rule out; of blood the design's warnings tell."""
    held = limited(asked.groups, replace(asked.limits, blood="none"))
    units = [
        Unit(k, one.name, allowed(asked.model, one, held)[0], one.subjects[0]) for k, one in enumerate(asked.groups)
    ]
    if (program := Program(units, held)).solve() is None:
        raise program.refuse()


def arguments_of(asked: spec.Design) -> dict[str, Any]:
    """Return what a file says as arguments of :func:`evaluate_design` and :func:`optimize_design`."""
    estimate = {ARGUMENTS.get(name, name): value for name, value in asked.estimate.items()}
    made = {
        **estimate, "fim": asked.fim, "linearization": asked.linearization, "lloq": dict(asked.lloq) or None,
        "criterion": asked.criterion, "interest": list(asked.interest) or None, "blood_loss": asked.blood_loss,
        "seed": asked.seed, "prior": asked.prior or None,
    }  # fmt: skip
    if asked.criterion in OVER:
        made["robust"] = asked.robust
    if asked.decision is not None and asked.decision.what == asked.criterion:
        made["decision"] = asked.decision
    return made
