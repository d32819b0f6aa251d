"""Files that a command writes: the place looked at before the work, the file whole or not at all."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from myelosim.errors import MyelosimError, MyelosimWarning, SpecError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

RESULT, TABLE, FIGURE = FILES = ("result.nc", "table.csv", "figure.png")
IN_USE = ".in_use"
DPI = 200
SINGLE = 1e-6
LARGE = 100_000  # values of a variable that are worth packing


def check(path: Path, option: str, *, overwrite: bool = False) -> None:
    """Look whether a file can be written, before the work that fills it.

    Parameters
    ----------
    path : Path
        The file; missing folders above it are made by :func:`written`.
    option : str
        Where the user may name another one.
    overwrite : bool
        Whether a file that is there may be replaced.

    Raises
    ------
    SpecError
        Something is in the way, nobody may write there, or the file is there already.
    """
    above = next(place for place in path.absolute().parents if place.exists())
    why = ""
    if path.is_dir():
        why = "it is a folder"
    elif not above.is_dir():
        why = f"{above.name} is a file"
    elif not os.access(above, os.W_OK | os.X_OK):
        why = f"no permission to write in {above}"
    if why:
        raise SpecError(f"{path}: cannot be written ({why}); choose another place with {option}")
    if path.exists() and not overwrite:
        raise SpecError(f"{path} is there already; choose another name with {option}, or replace it with --overwrite")


def written(path: Path, write: Callable[[str], None]) -> None:
    """Call ``write`` with a draft beside ``path`` and move it there.

    Raises
    ------
    SpecError
        The place cannot be written.
    """
    draft = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        write(draft)
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except OSError as error:
        raise SpecError(f"{path}: cannot be written ({error.strerror or error}); choose another place") from None
    finally:
        if draft is not None:
            Path(draft).unlink(missing_ok=True)


def filled(folder: Path, write: Callable[[Path], None], names: Collection[str]) -> list[Path]:
    """Call ``write`` with a draft of a folder and move what is in it into the folder; return what was moved.

    Of ``names``, which are this result's, those that are not in the draft are taken away from the folder; others stay.

    Raises
    ------
    SpecError
        The place cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as held:
            draft = Path(held)
            write(draft)
            folder.mkdir(exist_ok=True)
            made = sorted(one.name for one in draft.iterdir())
            for name in (*names, *made):
                old = folder / name
                if old.is_dir():
                    shutil.rmtree(old)
                elif name not in made:
                    old.unlink(missing_ok=True)
            for name in made:
                os.replace(draft / name, folder / name)
    except OSError as error:
        raise SpecError(f"{folder}: cannot be written ({error.strerror or error}); choose another place") from None
    return [folder / name for name in made]


def pictured(path: Path, draw: Callable[[], Figure], dpi: int = DPI) -> str:
    """Draw a picture into a file; return why it could not be drawn, "" where it was: no figure is worth the numbers beside it."""
    try:
        draw().savefig(path, dpi=dpi)
    except Exception as error:
        path.unlink(missing_ok=True)
        why = str(error) if isinstance(error, MyelosimError) else f"{type(error).__name__}: {error}"
        return f"{path.name} could not be drawn: {why}"
    return ""


def columns(rows: Sequence[Sequence[str]], left: Collection[int] = (0,)) -> list[str]:
    """Return rows of cells as lines with columns below each other, those in ``left`` left-aligned.

    >>> columns([["", "rse"], ["mtt", "9.1"]])
    ['     rse', 'mtt  9.1']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(wide) if k in left else cell.rjust(wide)
            for k, (cell, wide) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: numbers that are none as null.

    >>> plain({"a": (1.0, float("inf"))})
    {'a': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if hasattr(value, "item"):  # a number of NumPy's
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep a folder, made where it is not there, to this process; one that dies gives it free.

    Raises
    ------
    SpecError
        Another process has it, or nobody may write there.
    """
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = open(folder / IN_USE, "a+b")  # noqa: SIM115
    except OSError as error:
        raise SpecError(f"{folder}: cannot be written ({error.strerror or error}); choose another place") from None
    try:
        if not _locked(held):
            raise SpecError(
                f"{folder}: another process is at work there; wait for it to end, or choose another folder (--out)"
            )
        try:
            yield
        finally:
            with suppress(OSError):  # Windows does not part with an open file, which is no harm
                (folder / IN_USE).unlink()
    finally:
        held.close()
        for place in made:
            with suppress(OSError):  # what is not empty stays
                place.rmdir()


def _locked(held: IO[bytes]) -> bool:
    """Lock a file until it is closed, unless another process has, or its holder has just taken it away."""
    try:
        if sys.platform == "win32":
            import msvcrt

            held.seek(0)
            msvcrt.locking(held.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)  # others: no locks on this file system
    try:
        return os.path.samestat(os.fstat(held.fileno()), os.stat(held.name))
    except OSError:
        return False


def check_told(
    folder: Path, about: str, names: Collection[str], kind: str, file: str, *, overwrite: bool = False
) -> None:
    """Look whether a result that is told of in a JSON file ``about`` can be written into a folder, before the work.

    A result of the same file is replaced; another one, or files that are none, only with ``overwrite``. Files with other names
    are left alone.

    Parameters
    ----------
    folder : Path
        Where it is written.
    about : str
        Of ``names``, the one that says what is there: its ``kind``, and under ``<kind>_file`` of which file it is a result.
    names : collection of str
        Of all that the folder may hold of it.
    kind, file : str
        What is written, and of which file ("" of none) it is a result.
    overwrite : bool
        Whether what is there may be replaced.

    Raises
    ------
    SpecError
        The folder cannot be written, or holds something else under these names.
    """
    check(folder / about, "folder (--out)", overwrite=True)
    there = [name for name in names if (folder / name).exists()]
    if overwrite or not there:
        return
    try:
        held = json.loads((folder / about).read_text(encoding="utf-8"))
        found = str(held[f"{kind}_file"]) if held["kind"] == kind else None
    except (OSError, ValueError, LookupError, TypeError):
        found = None
    if not file or found != file:
        what = f"the {kind} of {found}" if found else f"{', '.join(there)} of something else"
        raise SpecError(
            f"{folder} holds {what}, not of {file or f'this {kind}'}; choose another folder (--out), or replace it (--overwrite, "
            "in Python overwrite=True)"
        )


def check_folder(folder: Path, scenario_file: str, *, overwrite: bool = False) -> None:
    """Look whether a result can be written into a folder, before the work.

    A result of the same scenario file is replaced; one of another file, or files that are no result, only with ``overwrite``.

    Raises
    ------
    SpecError
        The folder cannot be written, or holds something else under the names of a result's files.
    """
    for name in FILES:
        check(folder / name, "--out", overwrite=True)
    there = [name for name in FILES if (folder / name).exists()]
    if overwrite or not there:
        return
    found = _scenario_file(folder / RESULT)
    if found != scenario_file:
        what = (
            f"the result of {found or 'another scenario'}"
            if found is not None
            else f"{', '.join(there)} of something else"
        )
        raise SpecError(
            f"{folder} holds {what}, not of {scenario_file or 'this scenario'}; choose another folder with --out, or replace it "
            "with --overwrite"
        )


def save(
    result: xr.Dataset,
    folder: Path,
    table: Callable[[xr.Dataset], pd.DataFrame],
    draw: Callable[[xr.Dataset], Figure] | None = None,
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Write ``result.nc``, ``table.csv`` and, where ``draw`` is given, ``figure.png`` into a folder; return their paths.

    All are drafted beside it before any is moved there, and other files in the folder stay as they are. A picture that cannot be
    drawn is warned of, and the others are written.

    Raises
    ------
    SpecError
        As :func:`check_folder`.
    """
    check_folder(folder, str(result.attrs["scenario_file"]), overwrite=overwrite)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as held:
        draft = Path(held)
        result.to_netcdf(draft / RESULT, engine="h5netcdf", encoding=_encoding(result))
        table(result).to_csv(draft / TABLE, index=False)
        if draw is not None and (why := pictured(draft / FIGURE, lambda: draw(result))):
            warnings.warn(why, MyelosimWarning, stacklevel=3)
        folder.mkdir(exist_ok=True)
        for name in FILES:
            if (draft / name).exists():
                os.replace(draft / name, folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
    return [folder / name for name in FILES if (folder / name).exists()]


def _scenario_file(path: Path) -> str | None:
    """Return the scenario file whose result a file holds; None where it holds none."""
    import xarray as xr

    try:
        with xr.open_dataset(path, engine="h5netcdf") as held:
            found = held.attrs.get("scenario_file")
    except (OSError, ValueError):
        return None
    return None if found is None else str(found)


def _encoding(result: xr.Dataset) -> dict[str, dict[str, object]]:
    """Return how large variables are stored: compressed, in single precision where that is finer than the tolerance."""
    fine = float(result.attrs.get("tolerance", 0.0)) >= SINGLE
    packed: dict[str, object] = {
        "dtype": "float32" if fine else "float64",
        "zlib": True,
        "complevel": 1,
        "shuffle": True,
    }
    return {str(name): packed for name, v in result.data_vars.items() if v.dtype == "float64" and v.size > LARGE}
