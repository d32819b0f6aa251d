"""What a design says, as text."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import chdtri

from myelosim.designing.agenda import calendar, numbered
from myelosim.designing.blood import trajectories
from myelosim.designing.identifiability import POOR
from myelosim.spec.design import DECISIONS, Decision
from myelosim.spec.model import Model
from myelosim.writing import columns

if TYPE_CHECKING:
    from myelosim.designing.design import Design
    from myelosim.designing.run import Outcome

WIDTH = 110
BEFORE = "BEFORE YOU USE THIS"
UNKNOWN = "not determined"
CRITERIA = {
    "D": "the determinant of the information (D)", "Ds": "the determinant of the information on {interest} (Ds)",
    "A": "the mean squared relative standard error (A)",
    "ED": "the mean log-determinant over what the values could be (ED)",
    "maximin": "the least efficiency over what the values could be (maximin)",
    "nadir": "the relative standard error of the typical nadir", "nadir_day": "the standard error of the typical nadir's day",
    "risk": "the standard error of the logit of P(grade >= {grade})",
    "dose": "the relative standard error of the dose at which P(grade >= {grade}) is {limit:.0%}",
}  # fmt: skip
SCORES = {
    "D": "determinant of the information to the power of 1 / number of parameters",
    "A": "1 / mean squared relative standard error",
    "Ds": "determinant of the information on interest to the power of 1 / number of its parameters",
    "ED": "geometric mean of the worlds' scores, each the determinant to the power of 1 / number of parameters",
    "maximin": "least efficiency in any world",
    **dict.fromkeys(DECISIONS, "1 / square of what it is about"),
}
DECIDED = {
    "nadir": "typical nadir", "nadir_day": "day of the typical nadir", "risk": "P(grade >= {grade})",
    "dose": "dose at which P(grade >= {grade}) is {limit:.0%}",
}  # fmt: skip


def report(found: Outcome) -> str:
    """Return the calendar, blood, expected errors, how good the design is, and what must be said of all that."""
    parts = [
        _head(found), _calendar(found), _blood(found), _errors(found), _decision(found), _worth(found), _front(found),
        _verified(found), _warned(found),
        *(_wrapped(f"! {one}", "    ") for one in found.design.warnings if one.code != "model"), _weak(found), _caveats(found),
    ]  # fmt: skip
    return "\n\n".join(filter(None, parts))


def aim(found: Outcome) -> str:
    """Return what the criterion is, in words."""
    asked, decision = found.asked, found.asked.decision
    grade, limit = (0, 0.0) if decision is None else (decision.grade, decision.limit)
    text = CRITERIA[asked.criterion].format(interest=", ".join(asked.interest), grade=grade, limit=limit)
    return text + (f", {_where(decision)}" if decision is not None and asked.criterion == decision.what else "")


def _where(decision: Decision) -> str:
    return f"{decision.lineage}, {decision.regimen.text or 'no drug'}, {decision.days:g} days"


def decided(found: Outcome) -> str:
    """Return what is decided, in words, nothing where nothing is."""
    decision = found.asked.decision
    if decision is None or found.decided is None:
        return ""
    return f"{DECIDED[decision.what].format(grade=decision.grade, limit=decision.limit)}, {_where(decision)}"


def _decision(found: Outcome) -> str:
    """Say how sure the decision will be."""
    table = found.decision
    if table is None:
        return ""
    share = found.decided is not None and found.decided.unit == "1"
    times, unit, points = (100.0, " %", " points") if share else (1.0, "", "")
    lines = [["", "expected", "standard error", "95 % interval"]]
    for name, row in table.iterrows():
        unit = unit if share else f" {row['unit']}"
        value, se, low, high = (f"{times * row[key]:.3g}" for key in ("value", "se", "low", "high"))
        cells = [f"+- {se}{points}", f"{low} to {high}{unit}"] if np.isfinite(row["se"]) else [UNKNOWN, "-"]
        lines.append([str(name), value + unit, *cells])
    return "\n".join([_wrapped(f"To be decided: {decided(found)}"), _table(lines)])


def _head(found: Outcome) -> str:
    asked, design = found.asked, found.design
    lines = [asked.title, f"{design.question.model.title}; {design.subjects} subjects, {design.draws} draws"]
    lines.append(_wrapped(f"chosen by {aim(found)}" if found.chosen else f"evaluated by {aim(found)}"))
    if cost := design.found.get("cost"):
        lines.append(f"cost: {cost:g}")
    if asked.text:
        lines.append(_wrapped(asked.text))
    return "\n".join(lines)


def _calendar(found: Outcome) -> str:
    design = found.design
    rows = calendar(design, found.asked.limits, found.windows)
    said = ["Doses"]
    numbers = numbered(design)
    for group in design.groups:
        said.append(f"  {numbers[group.name]:>9}  {group.name}: {group.regimen.text or 'no drug'}")
    table = [
        [
            "elapsed day",
            "study day",
            *(["weekday"] if "weekday" in rows else []),
            whom(found),
            "group",
            "each",
            "in all",
        ]
    ]
    table[0] += ["may slip to", "for"]
    orders = set(rows["order"])
    for _, row in rows.iterrows():
        hour = "" if row["day"] == round(row["day"]) else f" ({24 * row['day']:.4g} h)"
        cells = [
            f"{row['day']:.4g}{hour}",
            f"d{math.floor(row['study_day'])}",
            *([row["weekday"]] if "weekday" in rows else []),
        ]
        cells += [str(row["numbers"]), row["group"], _ml(row["draw"]), _ml(row["total"])]
        cells += [_slip(row) if "earliest" in rows else "-"]
        after = f" ({row['order']} the dose)" if len(orders) > 1 else ""
        table.append([*cells, row["observe"] + after])
    if found.windows is None:
        table = [[cell for k, cell in enumerate(line) if k != len(line) - 2] for line in table]
    last = f"Blood is drawn {orders.pop()} a dose of the same hour." if len(orders) == 1 else ""
    if found.windows is not None:
        about = found.windows.attrs
        last += (
            f" Each visit alone may slip as far as said (more than 3 days were not tried) and leave {about['efficiency']:.0%} "
            f"of the efficiency; where all do at random, {about['mean']:.0%} is left on average and {about['low']:.0%} in the "
            "worst of 20 studies. Days that slipped must keep to the limits on blood and on the calendar, too."
        )
    return "\n".join([*said, "", "Calendar", _table(table, range(2, len(table[0]))), _wrapped(last.strip())])


def _slip(row: pd.Series) -> str:
    """Return from when to when a visit may be, in whole days where it is planned on one."""
    first, last = row["earliest"], row["latest"]
    if row["day"] == round(row["day"]):
        first, last = math.ceil(first - 1e-9), math.floor(last + 1e-9)
    return "-" if first == last else f"{first:g} to {last:g}"


def whom(found: Outcome) -> str:
    """Return what the study's subjects are called."""
    return "animals" if found.design.question.model.subjects.species not in ("", "human") else "subjects"


def _blood(found: Outcome) -> str:
    rows = found.design.blood
    rows = rows[rows["taken"].notna()]
    if rows.empty:
        return "Blood: the volume of a draw, the weight or the blood volume is not known, so no limit was looked at."
    limits = list(dict.fromkeys(rows["limit"]))
    lines = [["group", *(one.replace("_", " ") for one in limits), "of all blood"]]
    for group, own in rows.groupby("group", sort=False):
        cells = {row["limit"]: _against(row["taken"], row["allowed"], row["breaks"]) for _, row in own.iterrows()}
        study = own[own["limit"] == "study"]["of_blood"]
        lines.append([str(group), *(cells.get(one, "-") for one in limits), f"{100 * float(study.iloc[0]):.2g} %"])
    head = f"Blood of one of the {whom(found)}, mL, in the window of each limit that holds most, of what is allowed"
    table = _table(lines, range(len(lines[0])))
    return "\n".join(filter(None, [head, table, _wrapped(_lost(found))]))


def _against(taken: float, allowed: float, breaks: bool) -> str:
    return f"{taken:.3g}" if math.isnan(allowed) else f"{taken:.3g} of {allowed:.3g}{' BROKEN' if breaks else ''}"


def _lost(found: Outcome) -> str:
    """Say what the draws do to the counts."""
    if not found.asked.blood_loss:
        return ""
    count = trajectories(found.design)["count"]
    ratio = count.sel(drawn="yes") / count.sel(drawn="no")
    said = []
    for lineage in ratio["lineage"].to_numpy():
        own = ratio.sel(lineage=lineage)
        low, high = float(own.min()) - 1.0, float(own.max()) - 1.0
        most = low if -low >= high else high
        place = own.where(own == most + 1.0, drop=True)
        where = f"{place['group'].to_numpy()[0]}, day {float(place['time'].to_numpy()[0]):g}"
        said.append(f"{lineage} by {100 * most:+.1f} % ({where})")
    return f"Drawing itself moves the typical counts, which is part of the model here: {'; '.join(said)} at most."


def _errors(found: Outcome) -> str:
    table, designs = found.rse, found.designs
    lines = [["", "value", *designs]]
    for name, row in table.iterrows():
        lines.append([str(name), f"{row['value']:.4g}", *(rse(row[one]) for one in designs)])
    lines.append(["", *[""] * (len(designs) + 1)])
    lines.append(["draws in all", "", *(str(one.draws) for one in designs.values())])
    lines.append(["efficiency", "", *(_percent(one) for one in found.efficiency.values())])
    lines.append(["limits on blood", "", *(broken(one) for one in designs.values())])
    what = "Expected relative standard errors, percent (omegas and terms of errors: of variances)"
    if found.design.question.prior is not None:
        what += f"\nwith what is known before (prior: {Path(found.asked.prior).name})"
    return f"{what}\n" + _table(lines)


def _worth(found: Outcome) -> str:
    """Say how the design was found and how good it is at least."""
    known, said, who = found.design.found, [], whom(found)
    if how := known.get("how"):
        said.append(f"Found: {how}{', and none within the limits is better' if known['exact'] else ''}.")
    if (bound := known.get("bound")) is not None and not known["exact"]:
        more = 100 * (1 / max(bound, 1e-9) - 1)
        size = "0.01 %" if more < 0.01 else f"{more:.2g} %"
        proven = "It is proven" if known.get("bound_exact") else "As far as designs next to it were looked at, it holds"
        without = " (the blood lost by drawing being left out of that)" if found.asked.blood_loss else ""
        said.append(
            f"{proven} by the equivalence theorem that no design within these limits is better by more than {size}, not even "
            f"one in which each of the {who} has days of its own{without}."
        )
    said.append(
        f"An efficiency is the share of the proposed design's {who} that would do as well with the proposed days as the other "
        "design does with all of them." if found.alternatives and found.design.question.prior is None else ""
    )  # fmt: skip
    return _wrapped(" ".join(filter(None, said)))


def _front(found: Outcome) -> str:
    """Say what more visits and subjects buy."""
    table = found.front
    if table is None:
        return ""
    cost = bool((table["cost"] > 0).any())
    lines = [
        ["visits", "subjects", "draws", *(["cost"] if cost else []), "blood", "efficiency", "known least", "rse", ""]
    ]
    for _, row in table.iterrows():
        marks = [word for word in ("knee", "cheapest") if row.get(word, False)]
        lines.append([
            str(row["visits"]), str(row["subjects"]), str(row["draws"]), *([f"{row['cost']:.4g}"] if cost else []),
            _ml(row["blood"]), _percent(row["efficiency"]), row["worst"], rse(row["rse"]), ", ".join(marks),
        ])  # fmt: skip
    said = [
        "Each row is the best design with so many visits and subjects, against the best row; blood of one of the "
        f"{whom(found)}. Up to the knee, more pays most."
    ]
    if "cheapest" in table:
        wish = (
            "cheapest: the least that meets what is wanted."
            if table["cheapest"].any()
            else "None meets what is wanted."
        )
        said.append(wish)
    return "\n".join(
        ["What more visits and subjects buy", _table(lines, (len(lines[0]) - 1,)), _wrapped(" ".join(said))]
    )


def _verified(found: Outcome) -> str:
    table = found.verified
    if table is None:
        return ""
    lines = [["", "expected", "empirical", "ratio", "bias", "coverage of 95 %"]]
    for name, row in table.iterrows():
        cells = [rse(row["expected_rse"]), rse(row["empirical_rse"]), _number(row["ratio"]), _number(row["bias"])]
        lines.append([str(name), *cells, _percent(row["coverage"])])
    fitted, failed = int(table["fitted"].iloc[0]), int(table["failed"].iloc[0])
    prior = " (without what is known before)" if found.design.question.prior is not None else ""
    head = f"Simulated and fitted {fitted + failed} times, {failed} failed{prior}: relative standard errors and bias, percent"
    said = [f"failed {times} times: {why}." for why, times in table.attrs.get("why", {}).items()]
    if fitted > 1:
        low, high = (math.sqrt(chdtri(fitted - 1, tail) / (fitted - 1)) for tail in (0.975, 0.025))
        said.insert(
            0, f"With {fitted} fits chance alone gives ratios from {low:.2g} to {high:.2g} (95 %, errors being normal)."
        )
    return f"{head}\n{_table(lines)}\n{_wrapped(' '.join(said))}"


def _warned(found: Outcome) -> str:
    """Say what must be known of the model, as all commands do."""
    said = [_wrapped(f"! {one.text}", "    ") for one in found.design.warnings if one.code == "model"]
    return "\n".join([BEFORE, *said]) if said else ""


def _weak(found: Outcome) -> str:
    """Say what cannot be told or hardly, why, and what would help."""
    design = found.design
    if not any(value > POOR for value in design.rse.values()):
        return ""
    return "What would help\n" + "\n".join(_wrapped(f"- {one}", "  ") for one in design.report().splitlines())


def _caveats(found: Outcome) -> str:
    model = found.design.question.model
    word = "optimal" if found.chosen else "as good as is said"
    said = [
        f"The design is {word} only under this model with these values, this criterion ({aim(found)}), and the constraints "
        f"that were given: {limits_said(found)}.", assumed(model),
    ]  # fmt: skip
    if model.illustrative:
        said.insert(0, "ILLUSTRATIVE: the model's numbers are not data.")
    return _wrapped(" ".join(said))


def limits_said(found: Outcome) -> str:
    """Return what the design was held to."""
    asked, limits = found.asked, found.asked.limits
    every = [one.visits for group in asked.groups for one in group.samplings]
    counts = {f"{low}" if low == high else f"{low} to {high}" for low, high in every}
    days = {len(one.days) for group in asked.groups for one in group.samplings}
    said = [f"{' or '.join(sorted(counts))} visits of {' or '.join(map(str, sorted(days)))} candidate days"]
    said += [f"visits at least {limits.gap:g} days apart"] if limits.gap else []
    said += ["no visit on weekends"] if limits.weekdays else []
    said += [f"at most {limits.capacity} samples a day"] if limits.capacity is not None else []
    said += [f"at most {limits.subjects} subjects"] if limits.subjects is not None else []
    said += [f"a budget of {limits.budget:g}"] if limits.budget is not None else []
    held = limits.blood == "species" and found.design.question.model.subjects.blood_limits
    ends = all(one.structure == "terminal" for one in asked.groups)
    said += [
        "each animal bled once, at its end" if ends else "the species' limits on blood" if held else "no limit on blood"
    ]
    return ", ".join(said)


def assumed(model: Model) -> str:
    """Say how many parameters are assumed."""
    return f"{len(model.assumed)} of {len(model.parameters)} parameters are assumed, not measured."


def broken(design: Design) -> str:
    """Return which limits on blood a design breaks, in a word or two."""
    rows = design.blood
    names = list(dict.fromkeys(rows.loc[rows["breaks"], "limit"]))
    return f"breaks {', '.join(names)}" if names else "kept" if rows["share"].notna().any() else "-"


def rse(value: float) -> str:
    """Return a relative standard error.

    >>> rse(12.345), rse(float("inf"))
    ('12.3', 'not determined')
    """
    return (
        UNKNOWN if np.isinf(value) else "-" if math.isnan(value) else f"{value:.1f}" if value < 1e4 else f"{value:.3g}"
    )


def _table(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> str:
    return "\n".join(f"  {line}" for line in columns(rows, left))


def tables(found: Outcome) -> dict[str, pd.DataFrame]:
    """Return the tables of a design by the names of their files."""
    made = {
        "calendar": calendar(found.design, found.asked.limits, found.windows), "blood": found.design.blood,
        "rse": found.rse.reset_index(), "fim": found.design.fim.rename_axis("name").reset_index(),
    }  # fmt: skip
    if (others := found.design.found.get("alternatives")) is not None:
        made["alternatives"] = others
    if found.front is not None:
        made["front"] = found.front
    if found.verified is not None:
        made["verification"] = found.verified.reset_index()
    return made


def _wrapped(text: str, indent: str = "") -> str:
    return "\n".join(textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False))


def _ml(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3g} mL"


def _percent(value: float) -> str:
    return f"{value:.0%}" if math.isfinite(value) else "-"


def _number(value: float) -> str:
    return f"{value:.2g}" if math.isfinite(value) else "-"
