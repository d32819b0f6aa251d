"""Files that a command writes: the name checked before the work, the file whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from myelosim.errors import SpecError


def named(path: Path | None, option: str, *suffixes: str) -> None:
    """Raise :class:`SpecError` where a file is asked for under a name that does not end as it must."""
    if path is not None and path.suffix not in suffixes:
        raise SpecError(f"{option} {path}: write a file ending in {' or '.join(suffixes)}")


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
