"""Where compiled programs are kept between processes.

A program is a source file named by a hash of its whole text, of everything it imports from this package and of the
compiler's version; numba's own cache beside it then holds the machine code. A changed component changes the text, so an old answer
can never be returned.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from types import ModuleType

import llvmlite
import numba
from platformdirs import user_cache_path

from myelosim.engine import lanes

_log = logging.getLogger(__name__)
_importing = threading.Lock()


@cache
def folder() -> Path:
    """Return the folder of compiled programs: ``MYELOSIM_CACHE``, else the user's cache, else a temporary one."""
    chosen = os.environ.get("MYELOSIM_CACHE")
    user = os.getuid() if hasattr(os, "getuid") else "user"
    spare = Path(tempfile.gettempdir()) / f"myelosim-{user}"
    for path in (Path(chosen) if chosen else user_cache_path("myelosim"), spare):
        try:
            path.mkdir(mode=0o700 if path is spare else 0o777, parents=True, exist_ok=True)
            if path is spare and user not in ("user", path.stat().st_uid):
                continue  # somebody else's: what is in it would be run
            with tempfile.TemporaryFile(dir=path):
                break
        except OSError:
            continue
    else:
        path = Path(tempfile.mkdtemp(prefix="myelosim"))
    if chosen and path != Path(chosen):
        _log.warning(f"MYELOSIM_CACHE={chosen} cannot be written; compiled programs are kept in {path}")
    return path


def stored() -> list[Path]:
    """Return the files of all compiled programs."""
    return sorted(path for path in folder().rglob("myelosim_program_*") if path.is_file())


@cache
def _versions() -> str:
    return "\n".join([numba.__version__, llvmlite.__version__, Path(lanes.__file__).read_text(encoding="utf-8")])


def program(text: str) -> ModuleType:
    """Return the module of a program's text, written and imported once."""
    digest = hashlib.sha256((text + _versions()).encode()).hexdigest()[:20]
    name = f"myelosim_program_{digest}"
    with _importing:
        return sys.modules.get(name) or _imported(name, text)


def _imported(name: str, text: str) -> ModuleType:
    path = folder() / f"{name}.py"
    if not path.exists():
        _log.info("compiling a new kind of model")
        with tempfile.NamedTemporaryFile("w", dir=folder(), suffix=".tmp", delete=False, encoding="utf-8") as draft:
            draft.write(text)
        os.replace(draft.name, path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # numba looks there while it compiles
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
