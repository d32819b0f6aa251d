"""Put a model together from its tables, remembering where each part stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec import check
from myelosim.spec.document import Table, suggestion
from myelosim.spec.literal import found
from myelosim.spec.model import Drug, Effect, Lineage, Model, Parameter, Residual
from myelosim.spec.parts import observables, read_drug, read_effect, read_lineage, read_residual
from myelosim.spec.shorthand import NAME


class Assembly:
    """The parts read so far. A part that could not be read is None, so that what refers to it is not blamed."""

    def __init__(self) -> None:
        self.drugs: dict[str, Drug | None] = {}
        self.lineages: dict[str, Lineage | None] = {}
        self.effects: list[Effect] = []
        self.parameters: dict[str, Parameter] = {}
        self.residual: dict[str, Residual] = {}
        self.correlation: dict[tuple[str, str], float] = {}
        self.error_correlation: dict[tuple[str, str], float] = {}
        self.places: dict[str, Table] = {}

    def add_lineage(self, name: str, table: Table) -> None:
        """Read a lineage."""
        _called(name, table)
        self.places[name] = table
        self.lineages[name], found = read_lineage(name, table)
        self.parameters |= found

    def add_drug(self, name: str, table: Table) -> None:
        """Read a drug's kinetics."""
        _called(name, table)
        if name in self.lineages:
            table.fail(None, f"a drug and a lineage are both called '{name}'")
        self.places[name] = table
        self.drugs[name], found = read_drug(name, table)
        self.parameters |= found

    def unread(self, lineages: Iterable[str], drugs: Iterable[str]) -> None:
        """Note names whose entries are no tables, so that what refers to them is not blamed."""
        self.lineages = {**dict.fromkeys(lineages), **self.lineages}
        self.drugs = {**dict.fromkeys(drugs), **self.drugs}

    def add_effects(self, drug: str, lineage: str, table: Table) -> None:
        """Read what a drug does to a lineage: one effect, or several by site."""
        if "kind" in table.data or not table.data:
            self.add_effect(drug, lineage, "", table)
            return
        for site in list(table.data):
            inner = table.table(site)
            if inner is not None:
                self.add_effect(drug, lineage, site, inner)

    def add_effect(self, drug: str, lineage: str, site: str, table: Table) -> None:
        """Read one effect; ``site`` is empty where a drug has only one on that lineage."""
        if lineage not in self.lineages:
            table.fail(None, f"no lineage '{lineage}' is declared{suggestion(lineage, self.lineages)}")
            return
        held, target = self.drugs[drug], self.lineages[lineage]
        if held is None or target is None:
            return
        effect, values = read_effect(held, target, site, table)
        if effect is not None:
            self.effects.append(effect)
            self.places[effect.prefix] = table
        self.parameters |= values

    def add_residual(self, name: str, table: Table) -> None:
        """Read the residual error of an observable."""
        known = observables(self.lineages, self.drugs)
        if name not in known:
            table.fail(None, f"nothing called '{name}' is observed{suggestion(name, known)}")
        elif (one := read_residual(table)) is not None:
            self.residual[name] = one

    def add_correlation(self, table: Table) -> None:
        """Read the ``[[correlation]]`` and ``[[error_correlation]]`` entries; a pair that is there already is replaced."""
        self._add_pairs(table, "correlation", self.correlation)
        self._add_pairs(table, "error_correlation", self.error_correlation)

    def _add_pairs(self, table: Table, key: str, into: dict[tuple[str, str], float]) -> None:
        self.places[key] = table
        seen: set[frozenset[str]] = set()
        for entry in table.tables(key):
            between, value = entry.texts("between"), entry.number("value")
            entry.text("evidence", "assumed")
            entry.text("source", "")
            entry.finish()
            pair = frozenset(between)
            if not between and "between" in entry.data:
                continue
            if len(between) != 2 or len(pair) != 2:
                example = '["neutrophil.baseline", "platelet.baseline"]'
                entry.fail("between", f"needs two different parameters, e.g. {example}")
            elif pair in seen:
                entry.fail("between", f"{' and '.join(between)} are correlated twice")
            else:
                seen.add(pair)
                into.pop((between[1], between[0]), None)
                into[between[0], between[1]] = value

    def model(self, table: Table, also: tuple[Table, ...] = (), **about: Any) -> Model:
        """Return the model; raise whatever was found in the files, or else in the model."""
        sources = list({id(one.findings): one.findings for one in (table, *also)}.values())
        raise_all(sources)
        model = Model(
            drugs={name: drug for name, drug in self.drugs.items() if drug is not None},
            lineages={name: lineage for name, lineage in self.lineages.items() if lineage is not None},
            effects=tuple(self.effects), parameters=self.parameters, residual=self.residual,
            correlation=self.correlation, error_correlation=self.error_correlation, **about,
        )  # fmt: skip
        for name, sentence in check.problems(model):
            self._report(table, name, sentence)
        raise_all(sources)
        return model

    def _report(self, table: Table, name: str, sentence: str) -> None:
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            holder = self.places.get(".".join(parts[:length]))
            if holder is not None:
                for part in parts[length:-1]:
                    holder = holder.table(part) or holder
                if len(parts) > length:
                    holder.fail(parts[-1], sentence)
                else:
                    holder.fail(name if name in ("correlation", "error_correlation") else None, sentence)
                return
        table.fail(None, f"{name}: {sentence}" if name else sentence)


def _called(name: str, table: Table) -> None:
    if not NAME.fullmatch(name):
        table.fail(None, f"{found(name)} is not a name; use letters, digits, _ and -, a letter first")


def raise_all(sources: list[Any]) -> None:
    """Raise the findings of several files as one error."""
    messages = [message for source in sources for message in source.messages]
    if messages:
        raise SpecError("\n".join(dict.fromkeys(messages)))
