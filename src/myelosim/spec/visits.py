"""Days on which blood is drawn, from protocol text to elapsed days."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec.document import suggestion
from myelosim.spec.literal import found

FORM = 'elapsed days as a list, or study days: "d1,8,15", "d1 weekly", "d1 q3d until d28", joined by ";"'

_DAYS = re.compile(r"[dD](\d{1,6})((?:,[dD]?\d{1,6})*)")
_EVERY = re.compile(r"[qQ](\d{1,6})([dDwW])")


def parse_visits(visits: str | Iterable[Any], horizon_days: float) -> tuple[float, ...]:
    """Return visits as elapsed days, in order.

    Parameters
    ----------
    visits : str or list
        Elapsed days as numbers, or study days as text: ``d<a>[,<b>...]``, ``d<a> weekly``, ``d<a> q<n>d [until d<b>]``,
        joined by ``;``. Study day 1 is elapsed day 0. What has no end goes on until the horizon.
    horizon_days : float
        Last elapsed day that is simulated.

    Raises
    ------
    SpecError
        A visit is not understood, is beyond the horizon, or is named twice.

    Examples
    --------
    >>> parse_visits("d1 weekly until d15; d18", 28)
    (0.0, 7.0, 14.0, 17.0)
    >>> parse_visits([3, 5, 7], 28)
    (3.0, 5.0, 7.0)
    """
    pieces: list[Any] = [visits] if isinstance(visits, str) else list(visits)
    found: list[tuple[float, str]] = []
    for piece in pieces:
        if isinstance(piece, str):
            for part in piece.split(";"):
                found += [(day, part.strip()) for day in _study_days(part.strip(), horizon_days)]
        else:
            found.append((_elapsed(piece, horizon_days), ""))
    found.sort()
    for (day, first), (after, second) in pairwise(found):
        if day == after:
            raise SpecError(f"visits: {_called(day, first, second)} is there twice; name it once")
    return tuple(day for day, _ in found)


def _called(day: float, *parts: str) -> str:
    names = " and ".join(found(part) for part in dict.fromkeys(parts) if part)
    return f"study day {day + 1:g} (in {names})" if names else f"elapsed day {day:g}"


def _elapsed(value: Any, horizon: float) -> float:
    try:
        day = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        day = math.nan
    if not math.isfinite(day):
        raise SpecError(f"visits: {found(value)} is not a day; give {FORM}")
    if day < 0:
        raise SpecError(f"visits: elapsed day {day:g} is before time zero; give days from 0 on")
    if day > horizon * (1 + 1e-12):
        raise SpecError(
            f"visits: elapsed day {day:g} is after the horizon of {horizon:g} days; leave it out, or add days"
        )
    return day


def _study_days(text: str, horizon: float) -> list[float]:
    words = text.split()
    match = _DAYS.fullmatch(words[0]) if words else None
    if match is None:
        raise SpecError(f"visits: {found(text)} is not understood; give {FORM}")
    days = [int(day.lstrip("dD")) for day in (match[1] + match[2]).split(",")]
    for day in days:
        if day < 1:
            raise SpecError(f"visits: {found(text)}: the first study day is d1")
        _within(text, day, horizon)
    if len(words) == 1:
        return [day - 1.0 for day in days]
    if len(days) > 1:
        raise SpecError(f"visits: {found(text)}: a repeated visit begins on one day; separate the others by ';'")
    step, rest = _step(text, words[1]), words[2:]
    last = math.floor(horizon + 1e-9) + 1
    if rest:
        if len(rest) != 2 or rest[0] != "until" or not re.fullmatch(r"[dD]\d{1,6}", rest[1]):
            raise SpecError(f"visits: {found(text)}: {found(' '.join(rest))} is not understood; write until d28, say")
        last = int(rest[1][1:])
        _within(text, last, horizon)
        if last < days[0]:
            raise SpecError(f"visits: {found(text)} ends before it begins")
    return [day - 1.0 for day in range(days[0], last + 1, step)]


def _within(text: str, day: int, horizon: float) -> None:
    if day - 1 > horizon:
        raise SpecError(
            f"visits: {found(text)}: study day {day} is after the horizon of {horizon:g} days; leave it out, or add days"
        )


def _step(text: str, word: str) -> int:
    if word in ("weekly", "daily"):
        return 7 if word == "weekly" else 1
    match = _EVERY.fullmatch(word)
    if match is None:
        raise SpecError(
            f"visits: {found(text)}: {found(word)} is not understood{suggestion(word, ['weekly', 'daily', 'q3d'])}"
        )
    step = int(match[1]) * (7 if match[2] in "wW" else 1)
    if step < 1:
        raise SpecError(f"visits: {found(text)}: {found(word)} is not an interval; write q1d or more")
    return step
