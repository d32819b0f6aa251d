"""The dose shorthand of protocols: ``cemsidomide 100 ug QD d1-14 q28d x4``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from myelosim import units
from myelosim.errors import SpecError
from myelosim.spec.document import suggestion
from myelosim.spec.literal import found
from myelosim.spec.regimen import DoseEvent, Regimen

FORM = (
    "<drug> <amount> [over <duration>] [iv|sc|oral] [QD|BID|TID|q<n>h|q<n>d|q<n>w|once] [d<a>-<b>[,<c>]] "
    "[q<n>d|q<n>w] [x<cycles>]"
)
NONE = "none"
MOST_CYCLES = 10_000
MOST_AMOUNT = 1e12
HOURS = 24 * 3660  # for which doses without end are compared
ROUTES = ("iv", "sc", "oral")
PER_DAY = {"QD": 24.0, "BID": 12.0, "TID": 8.0}

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_INTERVAL = re.compile(r"q(\d{1,5})([hdw])", re.IGNORECASE)
_TIMES = re.compile(r"x(\d{1,9})", re.IGNORECASE)
_DAYS = re.compile(r"d\d{1,5}(?:-d?\d{1,5})?(?:,d?\d{1,5}(?:-d?\d{1,5})?)*", re.IGNORECASE)
_HOURS = {"h": 1.0, "d": 24.0, "w": 168.0}


@dataclass(slots=True)
class _Parts:
    """What was read of one dose; ``frequency`` and ``cycle`` in hours, ``days`` as inclusive ranges of study days."""

    drug: str = ""
    amount: float = 0.0
    unit: str = ""
    duration: float = 0.0
    route: str = ""
    frequency: float | None = None
    once: bool = False
    by_name: bool = False  # QD, BID or TID, which no number of doses follows
    days: list[tuple[int, int]] = field(default_factory=list)
    cycle: float | None = None
    times: int | None = None


def parse(text: str | Sequence[str], taken: Mapping[str, Sequence[str]] | None = None) -> Regimen:
    """Read one text or several; see :meth:`myelosim.spec.regimen.Regimen.parse`."""
    texts = [text] if isinstance(text, str) else list(text) if isinstance(text, list | tuple) else []
    if not texts or not all(isinstance(one, str) for one in texts):
        raise SpecError(f"dose {found(text)} is not a text; write {FORM}")
    parts = [" ".join(part.split()) for one in texts for part in re.split(r"(?:^|\s)\+(?:\s|$)", one)]
    if parts == [NONE]:
        return Regimen((), text=NONE)
    if NONE in parts:
        raise SpecError(f"dose '{NONE}' stands beside {_others(parts)}; give '{NONE}' alone, or leave it out")
    events: list[DoseEvent] = []
    cycles: tuple[float, ...] = ()
    length = 0.0
    for part in parts:
        try:
            new, own, own_length = _events(_read(part, taken or {}))
        except ValueError as error:
            raise SpecError(f"dose {found(part)}: {error}") from None
        events += new
        if own and not cycles:
            cycles, length = own, own_length
    whole = " + ".join(parts)
    try:
        _not_twice(events)
    except ValueError as error:
        raise SpecError(f"dose {found(whole)}: {error}") from None
    return Regimen(tuple(events), cycles, whole, length)


def _others(parts: Sequence[str]) -> str:
    others = [found(part) for part in parts if part != NONE]
    return " and ".join(others) or "another one"


def _not_twice(events: Sequence[DoseEvent]) -> None:
    """Refuse doses of one drug given alike at the same hour: they would add up, and are more likely a slip."""
    given: dict[tuple[str, str, float], set[int]] = {}
    for event in events:
        begin, step = round(event.time), round(event.interval) or 1
        count = HOURS // step if event.count is None else event.count
        hours = set(range(begin, begin + count * step, step))
        held = given.setdefault((event.drug, event.route, event.duration), set())
        if both := held & hours:
            raise ValueError(
                f"{event.drug} is dosed twice at the same time, first on d{min(both) // 24 + 1}; "
                "give the sum as one dose, or days that do not overlap"
            )
        held |= hours


def _read(text: str, taken: Mapping[str, Sequence[str]]) -> _Parts:
    words = text.split()
    if not words:
        raise ValueError(f"is empty; write {FORM}")
    out = _Parts(drug=words[0])
    if not NAME.fullmatch(words[0]):
        raise ValueError(f"'{words[0]}' is not the name of a drug; write {FORM}")
    rest = _amount(out, words[1:], taken)
    while rest:
        rest = _next(out, rest)
    _consistent(out)
    return out


def _amount(out: _Parts, words: list[str], taken: Mapping[str, Sequence[str]]) -> list[str]:
    match = re.fullmatch(f"({_NUMBER.pattern})(.*)", words[0]) if words else None
    if match is None:
        but = f", but {found(words[0])}" if words else ""
        if taken and out.drug not in taken:
            raise ValueError(f"no amount, and no drug '{out.drug}'; write e.g. \"{next(iter(taken))} 40 mg BID\"")
        raise ValueError(f"no amount after '{out.drug}'{but}; write e.g. \"{out.drug} 40 mg BID\"")
    out.amount = float(match[1])
    unit, rest = match[2], words[1:]
    if not unit and rest and not _is_option(rest[0]):
        unit, rest = rest[0], rest[1:]
    if not 0 <= out.amount <= MOST_AMOUNT:
        raise ValueError(f"amount {match[1]} is not possible; it must be 0 or more, and at most {MOST_AMOUNT:g}")
    if not unit:
        known = taken.get(out.drug, ())
        takes = f"{out.drug} takes {', '.join(known)}; " if known else ""
        raise ValueError(f'{match[1]} has no unit; {takes}write e.g. "{out.drug} {match[1]} {[*known, "mg"][0]}"')
    units.split_dose(unit)
    out.unit = unit
    return rest


def _is_option(word: str) -> bool:
    forms = (_INTERVAL, _TIMES, _DAYS)
    return word.upper() in PER_DAY or word in ("over", "once", *ROUTES) or any(form.fullmatch(word) for form in forms)


def _next(out: _Parts, words: list[str]) -> list[str]:
    word, rest = words[0], words[1:]
    if word == "over":
        return _over(out, rest)
    if word.lower() in ROUTES:
        _only_once(out.route, word, "route")
        _before_schedule(out, word)
        out.route = word.lower()
    elif word == "once" or word.upper() in PER_DAY:
        _only_once(out.frequency or out.once, word, "frequency")
        if out.days or out.cycle:
            raise ValueError(f"'{word}' comes too late; say how often before on which days")
        out.once, out.frequency = word == "once", PER_DAY.get(word.upper())
        out.by_name = not out.once
    elif match := _INTERVAL.fullmatch(word):
        _interval(out, word, int(match[1]) * _HOURS[match[2].lower()], match[2].lower())
    elif match := _TIMES.fullmatch(word):
        _only_once(out.times, word, "number of cycles")
        out.times = int(match[1])
        if out.times < 1:
            raise ValueError(f"'{word}' gives nothing; write x1 or more, or leave the dose out")
        if out.times > MOST_CYCLES:
            raise ValueError(f"'{word}' is more than the {MOST_CYCLES} times a dose may be repeated")
    elif _DAYS.fullmatch(word):
        _only_once(out.days, word, "choice of days")
        if out.cycle or out.times:
            raise ValueError(f"'{word}' comes too late; give the days before the cycle, e.g. d1-14 q28d x4")
        out.days = days(word)
    else:
        known = ["over", "once", *ROUTES, *PER_DAY, "q21d", "d1-14", "x4"]
        raise ValueError(f"'{word}' is not understood{suggestion(word, known)}. The form is {FORM}")
    return rest


def _over(out: _Parts, words: list[str]) -> list[str]:
    _only_once(out.duration, "over", "duration")
    _before_schedule(out, "over")
    if not words:
        raise ValueError("'over' needs a duration, e.g. \"over 3 h\"")
    take = 2 if _NUMBER.fullmatch(words[0]) else 1
    out.duration = units.parse(" ".join(words[:take]), "h")
    if not out.duration > 0:
        raise ValueError("a duration must be above 0; leave 'over' out for a bolus")
    least, most = units.limits("h")
    if not least <= out.duration <= most:
        raise ValueError(f"a duration of {out.duration:g} h cannot be meant; it must be {least:g} to {most:g} h")
    return words[take:]


def _interval(out: _Parts, word: str, hours: float, letter: str) -> None:
    if hours <= 0:
        raise ValueError(f"'{word}' is not an interval; write e.g. q12h or q21d")
    if out.days:
        _only_once(out.cycle, word, "cycle")
        if letter == "h":
            raise ValueError(f"'{word}' after the days is the cycle; give it in days or weeks, e.g. q28d")
        out.cycle = hours
    elif out.frequency or out.once:
        raise ValueError(f"'{word}' after a frequency is a cycle and needs the days within it, e.g. QD d1-14 q28d")
    else:
        out.frequency = hours


def _only_once(value: object, word: str, what: str) -> None:
    if value:
        raise ValueError(f"'{word}' is a second {what}; give one")


def _before_schedule(out: _Parts, word: str) -> None:
    if out.frequency or out.once or out.days or out.times:
        raise ValueError(f"'{word}' comes too late; say how a dose is given before how often")


def days(word: str) -> list[tuple[int, int]]:
    """Return the inclusive ranges of study days in ``d1-5,8``, sorted.

    Raises
    ------
    ValueError
        A day is zero, a range runs backwards, or a day is named twice.

    Examples
    --------
    >>> days("d1-5,8")
    [(1, 5), (8, 8)]
    """
    ranges = []
    for piece in word.lower().split(","):
        first, _, last = piece.replace("d", "").partition("-")
        low, high = int(first), int(last or first)
        if low < 1:
            raise ValueError(f"'{word}': the first day is d1")
        if high < low:
            raise ValueError(f"'{word}': days {low}-{high} run backwards")
        ranges.append((low, high))
    ranges.sort()
    for (_, before), (after, _) in pairwise(ranges):
        if after <= before:
            raise ValueError(f"'{word}': day {after} is named twice")
    return ranges


def _consistent(out: _Parts) -> None:
    if out.once and (out.times or out.cycle):
        raise ValueError("'once' does not come again; leave the cycle out, or leave 'once' out")
    if out.once and out.days and (len(out.days) > 1 or out.days[0][0] != out.days[0][1]):
        raise ValueError("'once' on several days; name one day, or write QD")
    if out.times and not out.cycle and (out.days or out.by_name or out.frequency is None):
        raise ValueError(f'\'x{out.times}\' needs the length of a cycle, e.g. "d1-14 q28d x4" or "q21d x6"')
    if out.cycle and out.days[-1][1] * 24.0 > out.cycle:
        raise ValueError(f"day {out.days[-1][1]} is after the end of a cycle of {out.cycle / 24:g} days")


def _events(out: _Parts) -> tuple[list[DoseEvent], tuple[float, ...], float]:
    """Return the events, the starts of the cycles, and the length of cycles that go on until the horizon."""
    one = DoseEvent(out.drug, 0.0, out.amount, out.unit, out.duration, out.route)
    if not out.days:
        if out.frequency is None:
            return [one], (), 0.0
        event = replace(one, interval=out.frequency, count=out.times)
        if out.frequency < 48.0:
            return [event], (), 0.0
        starts = tuple(i * out.frequency for i in range(out.times or 1))
        return [event], starts, 0.0 if out.times else out.frequency
    blocks = [_block(one, first, last, out.frequency or 24.0) for first, last in out.days]
    if out.cycle is None:
        return blocks, (), 0.0
    if out.times is None:
        singles = [
            replace(e, count=1, interval=0.0, time=e.time + i * e.interval) for e in blocks for i in range(e.count or 1)
        ]
        return [replace(e, interval=out.cycle, count=None) for e in singles], (0.0,), out.cycle
    starts = tuple(i * out.cycle for i in range(out.times))
    return [replace(e, time=e.time + start) for start in starts for e in blocks], starts, 0.0


def _block(one: DoseEvent, first: int, last: int, interval: float) -> DoseEvent:
    span = (last - first + 1) * 24.0
    count = max(1, math.ceil(span / interval - 1e-9))
    return replace(one, time=(first - 1) * 24.0, count=count, interval=interval if count > 1 else 0.0)
