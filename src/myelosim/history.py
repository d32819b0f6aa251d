"""What happened to one subject: visits, what was seen there, decisions, what was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.errors import SpecError
from myelosim.spec.rule import cells

BEGINS, ENDS = ("hold", "delay"), ("resume", "release", "stop")
NEAR = 1e-6  # days


@dataclass(frozen=True)
class History:
    """What happened to one subject of one arm.

    Attributes
    ----------
    result : xarray.Dataset
        The subject's own part of the result, without dims ``arm`` and ``subject``.
    visits : pandas.DataFrame
        ``day`` (elapsed) and observed counts by lineage.
    decisions : pandas.DataFrame
        ``day``, ``effect_day``, ``rule``, ``decision``, ``occurrence`` and the counts it rests on, by lineage.
    doses : pandas.DataFrame
        ``day``, ``drug``, ``kind``, ``given``, ``planned``, ``unit``; of what is neither given nor planned there is no row.
    """

    result: xr.Dataset
    visits: pd.DataFrame
    decisions: pd.DataFrame
    doses: pd.DataFrame

    @property
    def lineages(self) -> list[str]:
        """Lineage coordinates."""
        return [str(name) for name in self.result["lineage"].to_numpy()]

    def holds(self) -> list[tuple[str, float, float]]:
        """Return drug, first and last elapsed day of each time in which a drug was held or put off."""
        last = float(self.result["time"][-1])
        changes = self.decisions.sort_values("effect_day", kind="stable")
        open_: dict[str, dict[str, float]] = {}
        out: list[tuple[str, float, float]] = []
        for day, rule, text in changes[["effect_day", "rule", "decision"]].itertuples(index=False):
            verb, drug = text.replace(",", "").split()[:2]
            held = open_.setdefault(drug, {})
            since = min(held.values(), default=day)
            if verb in BEGINS:
                held[rule] = day
            elif verb in ENDS and held:
                open_[drug] = held = {} if verb == "stop" else {k: v for k, v in held.items() if k != rule}
                if held:
                    held[next(iter(held))] = since
                elif day > since:
                    out.append((drug, since, day))
        still = [(drug, min(held.values()), last) for drug, held in open_.items() if held]
        return out + [one for one in still if one[1] < last]


def history(result: xr.Dataset, subject: int, arm: str | None = None) -> History:
    """Take one subject out of a result.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.simulate` or :func:`myelosim.compare`.
    subject : int
        Which, as the result's ``subject`` says.
    arm : str, optional
        Which arm; needed where there are several.

    Raises
    ------
    SpecError
        There is no such subject or arm, or several arms and none is named.
    """
    if not {"count", "dose_given"} <= set(result.variables) or "subject" not in result.dims:
        raise SpecError("explain: the result holds no subjects and doses; give one of simulate or compare")
    if "lineage" not in result.dims:
        raise SpecError("explain: the result holds one lineage only; give it whole")
    called = result["arm"].to_numpy() if "arm" in result.dims else None
    if called is not None:
        names = [str(name) for name in called]
        if arm is None and len(names) > 1:
            raise SpecError(f"explain: there are several arms; name one of {', '.join(map(repr, names))}")
        if arm is not None and arm not in names:
            raise SpecError(f"explain: no arm {arm!r}; there are {', '.join(map(repr, names))}")
        result = result.isel(arm=0 if arm is None else names.index(arm))
    which = result["subject"].to_numpy()
    if subject not in which:
        raise SpecError(f"explain: no subject {subject}; the result has {which[0]} to {which[-1]}")
    own = result.isel(subject=int(np.flatnonzero(which == subject)[0]))
    if own["count"].isnull().all():
        raise SpecError(f"explain: subject {subject} has no counts in this arm")
    return History(own, _visits(own), _decisions(own, subject), _doses(own))


def explain(result: xr.Dataset, subject: int, arm: str | None = None) -> pd.DataFrame:
    """Say what was seen, decided and given, visit by visit, of one subject.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.simulate` or :func:`myelosim.compare`.
    subject : int
        Which, as the result's ``subject`` says.
    arm : str, optional
        Which arm; needed where there are several.

    Returns
    -------
    pandas.DataFrame
        One row a visit, or a decision where there are several: ``day`` (elapsed), observed counts by lineage, ``rule``,
        ``decision``, ``effect_day`` (NaN where nothing was decided), and ``doses`` from this visit to the next.

    Raises
    ------
    SpecError
        There is no such subject or arm, or several arms and none is named.

    Examples
    --------
    >>> import myelosim as ms
    >>> rule = {"when": "neutrophil < 1.0", "do": "hold drug", "until": "neutrophil >= 1.0"}
    >>> model = ms.load_model("generic_oral_2cmt_friberg")
    >>> ds = ms.simulate(model, "drug 60 mg BID d1-28", days=42, visits="d1 weekly", rules={"low": rule})
    >>> print(*ms.explain(ds, subject=0).loc[2, ["day", "neutrophil", "decision", "doses"]], sep="; ")
    14.0; 0.73; hold drug; drug withheld x14
    """
    found = history(result, subject, arm)
    decided = found.decisions
    days = np.unique([*found.visits["day"], *decided["day"]])
    rows: list[dict[str, Any]] = []
    for day, then in zip(days, [*days[1:], np.inf], strict=True):
        here = decided[(decided["day"] - day).abs() < NEAR]
        seen = found.visits[(found.visits["day"] - day).abs() < NEAR]
        counts = (seen if len(seen) else here).iloc[0]
        own = [
            {"day": float(day), **{name: float(counts[name]) for name in found.lineages}, "rule": one.rule,
             "decision": one.decision, "effect_day": one.effect_day, "doses": ""}
            for one in here.itertuples()
        ] or [{"day": float(day), **{name: float(counts[name]) for name in found.lineages}, "rule": "", "decision": "",
               "effect_day": np.nan, "doses": ""}]  # fmt: skip
        since = -np.inf if day == days[0] else day
        own[-1]["doses"] = said(found.doses[(found.doses["day"] >= since - NEAR) & (found.doses["day"] < then - NEAR)])
        rows += own
    return pd.DataFrame(rows, columns=["day", *found.lineages, "rule", "decision", "effect_day", "doses"])


def said(doses: pd.DataFrame) -> str:
    """Return doses in words: equal ones in a row together.

    Examples
    --------
    >>> rows = [(0.0, "x", "dose", 5.0, 5.0, "mg"), (1.0, "x", "dose", 5.0, 5.0, "mg"), (2.0, "x", "dose", 0.0, 5.0, "mg")]
    >>> said(pd.DataFrame(rows, columns=["day", "drug", "kind", "given", "planned", "unit"]))
    'x 5 mg x2, withheld x1'
    """
    out = []
    for drug, own in doses.groupby("drug", sort=False):
        if (own["kind"] == "transfusion").all():
            units = float(own["given"].sum())
            out.append(f"{units:g} unit{'s' * (units != 1)} of {cells(str(drug))}")
            continue
        runs: list[tuple[str, int]] = []
        for given, unit in own[["given", "unit"]].itertuples(index=False):
            text = f"{given:.4g} {unit}".strip() if given else "withheld"
            runs = [*runs[:-1], (text, runs[-1][1] + 1)] if runs and runs[-1][0] == text else [*runs, (text, 1)]
        out.append(f"{drug} " + ", ".join(f"{text} x{number}" for text, number in runs))
    return "; ".join(out)


def _visits(own: xr.Dataset) -> pd.DataFrame:
    lineages = [str(name) for name in own["lineage"].to_numpy()]
    if "observed" not in own:
        return pd.DataFrame({name: np.zeros(0) for name in ["day", *lineages]})
    seen = own["observed"].transpose("visit", "lineage").to_numpy()
    there = ~np.isnan(seen).all(axis=1)
    return pd.DataFrame(seen[there], columns=lineages).assign(day=own["visit"].to_numpy()[there])


def _decisions(own: xr.Dataset, subject: int) -> pd.DataFrame:
    lineages = [str(name) for name in own["lineage"].to_numpy()]
    names: Sequence[str] = ("day", "effect_day", "rule", "action", "occurrence")
    if "decision_subject" not in own:
        return pd.DataFrame(columns=["day", "effect_day", "rule", "decision", "occurrence", *lineages]).astype(
            {"day": float, "effect_day": float}
        )
    mine = own["decision_subject"].to_numpy() == subject
    if "decision_arm" in own:
        mine &= own["decision_arm"].to_numpy().astype(str) == str(own["arm"].item())
    columns = {name: own[f"decision_{name}"].to_numpy()[mine] for name in names}
    seen = own["decision_seen"].transpose("decision", "lineage").to_numpy()[mine]
    columns["decision"] = columns.pop("action").astype(str)
    columns["rule"] = columns["rule"].astype(str)
    return pd.DataFrame(columns).join(pd.DataFrame(seen, columns=lineages))


def _doses(own: xr.Dataset) -> pd.DataFrame:
    columns = {name: own[f"dose_{name}"].to_numpy() for name in ("drug", "kind", "given", "planned", "unit")}
    table = pd.DataFrame({"day": own["dose_time"].to_numpy(), **columns})
    some = (table["given"].fillna(0) > 0) | (table["planned"].fillna(0) > 0)
    kept = table[table["day"].notna() & some & (table["kind"] != "draw")]
    return kept.astype({"drug": str, "kind": str, "unit": str}).reset_index(drop=True)
