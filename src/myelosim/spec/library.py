"""Where model and scenario files are found, and what is there."""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from myelosim.errors import SpecError
from myelosim.spec.compose import compose
from myelosim.spec.document import Table, names_in, read_toml, shown, suggestion
from myelosim.spec.literal import found
from myelosim.spec.load import read_model
from myelosim.spec.model import Model
from myelosim.spec.shorthand import NAME

FOLDERS = ("species", "drugs", "published", "grading", "rules", "calibration")
ELSEWHERE = {"scenarios": "scenarios", "pilots": "scenarios/pilots", "designs": "scenarios/designs"}


def roots() -> list[Path]:
    """Return the folders searched, first match wins: ``MYELOSIM_PATH``, the current folder, the package's own files."""
    return [*_listed(), Path.cwd(), *_shipped()]


def _shipped() -> list[Path]:
    checkout = Path(__file__).resolve().parents[3]
    packaged = Path(str(importlib.resources.files("myelosim"))) / "_data"
    return [checkout, packaged] if (checkout / "models" / "published").is_dir() else [packaged]


def files(folder: str) -> dict[str, Path]:
    """Return name -> file of everything in ``models/<folder>`` (or ``scenarios``, its ``pilots`` or ``designs``), in all roots."""
    found: dict[str, Path] = {}
    for root in roots():
        inside = root / ELSEWHERE.get(folder, f"models/{folder}")
        loose = [root / folder] if root in _listed() and folder not in ELSEWHERE else []
        for place in (inside, *loose):
            for path in sorted(place.glob("*.toml")):
                found.setdefault(path.stem, path)
    return found


def _listed() -> list[Path]:
    return [Path(part) for part in os.environ.get("MYELOSIM_PATH", "").split(os.pathsep) if part]


def find(name: str | os.PathLike[str], folders: Sequence[str]) -> Path | None:
    """Return the file a name or a path means, or None."""
    if not isinstance(name, str | os.PathLike):
        raise SpecError(f"{found(name)} is neither a name nor the path of a file; give one")
    text = os.fspath(name)
    if text.endswith(".toml") or os.sep in text:
        places = [Path(text), *(root / text for root in roots())]
        for path in places:
            if path.is_file():
                return path
        if any(path.is_dir() for path in places):
            raise SpecError(f"{text}: is a directory; give a file in it, or the name of what ships")
        listing = "myelosim scenarios" if "scenarios" in folders else "myelosim models"
        raise SpecError(f'{text}: there is no such file; give a path, or a name that "{listing}" lists')
    for root in _listed():
        if (root / f"{text}.toml").is_file():
            return root / f"{text}.toml"
    for folder in folders:
        if text in (known := files(folder)):
            return known[text]
    if Path(text).is_file():
        raise SpecError(f"{text}: is not a .toml file; give one, or a name")
    return None


def stand_ins(names: Iterable[str | os.PathLike[str]], folders: Sequence[str]) -> tuple[str, ...]:
    """Return a sentence for each name that means another file than the one that ships under it."""
    said = []
    for name in [os.fspath(one) for one in names]:
        path = None if name.endswith(".toml") or os.sep in name else find(name, folders)
        every = (root / "models" / folder / f"{name}.toml" for root in _shipped() for folder in folders)
        ships = next((one for one in every if one.is_file()), None)
        if path and ships and path.read_bytes() != ships.read_bytes():
            said.append(f"{name} is read from {shown(path)}, which stands in for the file of that name that ships.")
    return tuple(said)


def list_models() -> dict[str, list[str] | dict[str, list[str]]]:
    """Return the names of everything that can be loaded, by kind.

    Returns
    -------
    dict
        ``drugs``, ``published``, ``grading`` and ``rules``: sorted names; ``species``: name -> its variants.
    """
    species = {name: variants(path) for name, path in sorted(files("species").items())}
    return {
        "drugs": sorted(files("drugs")), "species": species, "published": sorted(files("published")),
        "grading": sorted(files("grading")), "rules": sorted(files("rules")),
    }  # fmt: skip


def variants(path: Path) -> list[str]:
    """Return the variants a species file declares."""
    try:
        return sorted(names_in(read_toml(path).data, "variant"))
    except SpecError:
        return []


def load_model(
    name: str | os.PathLike[str] | Sequence[str],
    *,
    species: str | None = None,
    variant: str | None = None,
    gcsf: str | None = None,
    sensitivity: float | None = None,
) -> Model:
    """Load a complete model, or compose one of a species and its drugs.

    Parameters
    ----------
    name : str, path or list of str
        A complete model (by name or path), or one or more drugs.
    species : str, optional
        Whom the drugs are given to; needed for drugs, refused for complete models.
    variant : str, optional
        Strain or patient population of the species; its default one if not given.
    gcsf : str, optional
        A G-CSF added to the drugs.
    sensitivity : float, optional
        Factor on the potency of the drugs in this species, instead of the one in their files. Needed where a file
        refuses the species for want of one.

    Raises
    ------
    SpecError
        The file is not found, or something in it cannot be; all findings of a file are reported together.
    """
    names = list(name) if isinstance(name, Sequence) and not isinstance(name, str) else [name]
    if species is None and len(names) == 1:
        path = find(names[0], ("published", "drugs"))
        if path is not None and _kind(path) != "drug":
            for option, value in (("variant", variant), ("gcsf", gcsf), ("sensitivity", sensitivity)):
                if value is not None:
                    raise SpecError(f"{path.name}: a complete model takes no {option}; leave it out")
            held = _complete(path.resolve(), path.stat().st_mtime_ns, tuple(files("species")))
            return _warned(held, stand_ins(names, ("published", "drugs")))
    return _composed(names, species, variant, gcsf, sensitivity)


@functools.lru_cache(maxsize=32)
def _complete(path: Path, _changed: int, species: tuple[str, ...]) -> Model:
    return read_model(read_toml(path), path.stem, species)


def _warned(model: Model, said: tuple[str, ...]) -> Model:
    return dataclasses.replace(model, warnings=(*said, *model.warnings)) if said else model


def _kind(path: Path) -> str:
    return str(read_toml(path).data.get("kind", "model"))


def _composed(
    names: Sequence[str | os.PathLike[str]],
    species: str | None,
    variant: str | None,
    gcsf: str | None,
    sensitivity: float | None,
) -> Model:
    wanted = [*names, *([gcsf] if gcsf is not None else [])]
    drugs = [_drug(one) for one in wanted]
    if species is None:
        known = ", ".join(sorted(files("species")))
        raise SpecError(f"'{drugs[0][0]}' is a drug; say to which species it is given: {known}")
    called = [name for name, _ in drugs]
    if len(set(called)) < len(called):
        raise SpecError(f"drugs {', '.join(called)}: a drug is named twice")
    path = find(species, ("species",))
    if path is None:
        raise SpecError(f"no species '{species}'{suggestion(species, files('species'))}")
    held = read_toml(path)
    own = held.text("name", path.stem)
    for _, table in drugs:
        _only_known_species(table, {*files("species"), own})
    said = (*stand_ins(wanted, ("drugs", "published")), *stand_ins([species], ("species",)))
    return _warned(compose(drugs, (own, held), variant, None if gcsf is None else called[-1], sensitivity), said)


def _only_known_species(table: Table, known: set[str]) -> None:
    """Refuse a drug file that speaks of a species nobody knows: what it says there would be dropped silently."""
    sections = table.data.get("species")
    for name in sections if isinstance(sections, dict) else ():
        if name not in known:
            table.findings.add((*table.path, "species", name), f"'{name}' is not a species{suggestion(name, known)}")
    table.findings.check()


def _drug(name: str | os.PathLike[str]) -> tuple[str, Table]:
    path = find(name, ("drugs", "published"))
    if path is None:
        everything = [*files("drugs"), *files("published")]
        raise SpecError(f"no model '{name}'{suggestion(str(name), everything)}")
    table = read_toml(path)
    if table.data.get("kind") == "model":
        raise SpecError(f"{shown(path)}: is a complete model; it takes no species and no other drug beside it")
    called = table.text("name", path.stem)
    if not NAME.fullmatch(called):
        raise SpecError(
            f'{shown(path)}: {found(called)} cannot be the name of a drug; give it one in the file, name = "abc1", '
            "of letters, digits, _ and -"
        )
    return called, table
