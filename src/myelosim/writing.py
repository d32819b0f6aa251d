"""Files that a command writes: the place looked at before the work, the file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from myelosim.errors import SpecError


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
