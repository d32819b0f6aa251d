"""What is wrong with data, and what was not taken as it stood: noted while reading, said at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from myelosim.errors import DataError
from myelosim.spec.literal import found as quoted

if TYPE_CHECKING:
    from myelosim.data.study import Study

COLUMNS = ("row", "subject", "column", "found", "done")
SHOWN = 5  # rows that a message names
FILE = 10**9  # by which the rows of a further file are told from the first one's
MOST = 40  # findings that an error or a report lists


@dataclass
class Ledger:
    """Findings about one source, by row; :meth:`check` raises those that cannot be lived with.

    A row is named by its number in the file, the first after the header being 1; rows of a second file by that and `FILE`, of
    a third by twice `FILE`. ``who`` holds the subject of each row, once it is known; ``files`` the files' names.
    """

    source: str
    strict: bool = False
    files: list[str] = field(default_factory=list)
    who: dict[int, str] = field(default_factory=dict)
    problems: list[tuple[int, str, str, str, str]] = field(default_factory=list)
    errors: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=dict)

    def note(self, row: int, column: str, found: Any, done: str, subject: str = "") -> None:
        """Note what was found in a row (0 for none in particular) and what was done about it."""
        self.problems.append((row, subject, column, str(found), done))

    def wrong(self, row: int, column: str, found: Any, sentence: str) -> None:
        """Note what cannot be used; ``sentence`` says what is allowed and what to do."""
        text = "" if found is None else quoted(found) if isinstance(found, str) else f"{found:g}"
        self.errors.setdefault((column, sentence), []).append((row, text))

    def doubtful(self, row: int, column: str, found: Any, done: str, remedy: str) -> None:
        """Note what is reported and lived with, and under ``strict`` is an error."""
        if self.strict:
            who = self.who.get(row, "") if row else ""
            self.wrong(row, column, None, f"{found}{f' ({who})' if who and not row else ''}; {remedy}")
        else:
            self.note(row, column, found, done)

    def check(self) -> None:
        """Raise :class:`DataError` with everything that is wrong, rows of the same finding together."""
        if not self.errors:
            return
        lines = [self._line(column, sentence, rows) for (column, sentence), rows in self.errors.items()]
        more = [f"... and {len(lines) - MOST} more findings"] if len(lines) > MOST else []
        raise DataError("\n".join(lines[:MOST] + more))

    def _line(self, column: str, sentence: str, rows: Sequence[tuple[int, str]]) -> str:
        named = sorted({row for row, _ in rows if row})
        texts = list(dict.fromkeys(text for _, text in rows if text))
        parts = [self.source, self._rows(named), column]
        said = ", ".join(texts[:3]) + (", ..." if len(texts) > 3 else "")
        return ": ".join(part for part in parts if part) + f": {said}{' ' if said else ''}{sentence}"

    def _rows(self, rows: Sequence[int]) -> str:
        shown = [self._row(row) + (f" (ID {self.who[row]})" if self.who.get(row) else "") for row in rows[:SHOWN]]
        text = ", ".join(shown) + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")
        return f"row{'s' if len(rows) != 1 else ''} {text}" if rows else ""

    def _row(self, row: int) -> str:
        """Return a row's number in its own file, and the file where it is not the first."""
        file, number = divmod(row, FILE)
        return f"{number} of {self.files[file]}" if file else str(number)

    def table(self) -> pd.DataFrame:
        """Return what was noted, by file and row; a row's number is that in its own file."""
        ordered = sorted(self.problems, key=lambda one: one[0])
        named = [
            (row % FILE, who or self.who.get(row, ""), self._file(row) + column, *rest)
            for row, who, column, *rest in ordered
        ]
        return pd.DataFrame(named, columns=list(COLUMNS))

    def _file(self, row: int) -> str:
        return f"{self.files[row // FILE]}: " if row >= FILE else ""


def summary(
    subjects: Sequence[str],
    observed: pd.DataFrame,
    doses: Sequence[Mapping[str, int]],
    dropped: Mapping[str, int],
    hours: Sequence[tuple[float, float]],
) -> pd.DataFrame:
    """Return one row per subject.

    Parameters
    ----------
    subjects : list of str
        All of them.
    observed : pandas.DataFrame
        ``subject`` (index), ``observable`` and ``censored`` of every observation.
    doses : list of mapping
        Subject by subject: what was given -> rows of it.
    dropped : mapping
        Subject -> rows that were not used.
    hours : list of (float, float)
        First and last hour of each subject.
    """
    out = pd.DataFrame({"subject": list(subjects)})
    for name in dict.fromkeys(name for own in doses for name in own):
        out[f"doses {name}"] = [own.get(name, 0) for own in doses]
    for name in dict.fromkeys(observed["observable"].tolist()):
        own = observed.loc[observed["observable"] == name, "subject"]
        out[str(name)] = own.value_counts().reindex(range(len(subjects)), fill_value=0).to_numpy()
    for name, sign in (("below", 1), ("above", -1)):
        own = observed.loc[observed["censored"] == sign, "subject"]
        out[name] = own.value_counts().reindex(range(len(subjects)), fill_value=0).to_numpy()
    out["not used"] = [dropped.get(name, 0) for name in subjects]
    out["first hour"] = [first for first, _ in hours]
    out["last hour"] = [last for _, last in hours]
    return out


def report(study: Study) -> str:
    """Say in plain text what was read of a study, and what was not taken as it stood.

    Parameters
    ----------
    study : Study
        From :func:`myelosim.data.read`.

    Returns
    -------
    str
        How many subjects, doses and observations; one line per subject; the findings, the same one of several rows together.
    """
    if study.check is None:
        return f"{len(study.subjects)} subjects; nothing is known of how they were read"
    table, lines = study.check.summary, [_totals(study)]
    lines += ["", table.to_string(index=False)]
    grouped = _grouped(study.check.problems)
    if not grouped:
        return "\n".join([*lines, "", "Every row was taken as it stands."])
    shown = grouped[:MOST]
    lines += ["", f"Not taken as it stood: {len(study.check.problems)}", *(f"  {line}" for line in shown)]
    if len(shown) < len(grouped):
        lines.append(f"  ... and {len(grouped) - len(shown)} more; all of them are in study.check.problems")
    return "\n".join(lines)


def _totals(study: Study) -> str:
    seen, parts = study.observations, []
    for name in study.observables:
        own = seen.observable == name
        limits = [
            f"{int((seen.censored[own] == sign).sum())} {word} a limit"
            for sign, word in ((1, "below"), (-1, "above"))
            if (seen.censored[own] == sign).any()
        ]
        parts.append(f"{int(own.sum())} of {name}" + (f" ({', '.join(limits)})" if limits else ""))
    given = sum(len(own) for own in study.doses)
    held = [f"{', '.join(names)} by row" for names in (study.values, study.covariates) if names]
    held += [f"measured concentrations of {', '.join(study.tables)}"] if study.tables else []
    return (
        f"{study.source}: {len(study.subjects)} subjects, {given} rows of doses, observations: {', '.join(parts) or 'none'}"
        + (f"; {'; '.join(held)}" if held else "")
        + (f"\nSHA-256 {study.digest}" if study.digest else "")
    )


def _grouped(problems: pd.DataFrame) -> list[str]:
    """Return one line per finding: the same one in several rows together."""
    groups: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for row, subject, column, what, done in problems.itertuples(index=False):
        groups.setdefault((column, done), []).append((row, subject, what))
    return [_together(column, done, rows) for (column, done), rows in groups.items()]


def _together(column: str, done: str, rows: Iterable[tuple[int, str, str]]) -> str:
    rows = list(rows)
    what = list(dict.fromkeys(text for _, _, text in rows if text))
    said = "; ".join(what[:3]) + ("; ..." if len(what) > 3 else "")
    named = [f"{row}{f' (ID {subject})' if subject else ''}" for row, subject, _ in rows if row]
    named = named or [f"ID {subject}" for _, subject, _ in rows if subject]
    where = ", ".join(named[:SHOWN]) + (f" and {len(named) - SHOWN} more" if len(named) > SHOWN else "")
    where = f"row{'s' if len(rows) > 1 else ''} {where}" if any(row for row, _, _ in rows) else where
    return ": ".join(part for part in (where, column, f"{said} -> {done}" if said else done) if part)
