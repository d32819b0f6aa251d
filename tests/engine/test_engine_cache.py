"""Compiled programs on disk: named by what they say, in a folder that can be written to."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from engine_cases import BENCH

from myelosim.components.lineages import friberg
from myelosim.engine import block as equations
from myelosim.engine import cache, emit, stepper
from myelosim.spec.library import files, load_model

TEXT = "import time\ntime.sleep({seconds})\nANSWER = {answer}\n"


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """Let programs go to a folder of this test."""
    monkeypatch.setenv("MYELOSIM_CACHE", str(tmp_path / "programs"))
    cache.folder.cache_clear()
    yield tmp_path / "programs"
    cache.folder.cache_clear()


def source(model=BENCH):
    (block, *_) = equations.blocks(model)
    return emit.source(block, emit.explicit(stepper.DP5))


def test_the_same_equations_make_the_same_text():
    assert source() == source()


def test_equations_are_the_same_whatever_a_drug_is_called(tmp_path):
    text = files("published")["generic_oral_2cmt_friberg"].read_text()
    renamed = (
        text.replace("drug.drug", "drug.other").replace("effect.drug", "effect.other").replace('"drug ', '"other ')
    )
    (tmp_path / "other.toml").write_text(renamed)
    other = load_model(tmp_path / "other.toml")
    assert list(other.drugs) == ["other"] and source(other) == source()


def test_an_edited_component_makes_another_program(monkeypatch):
    before, rhs = source(), friberg.rhs
    monkeypatch.setattr(friberg, "rhs", lambda y, *rest: (1.01 * rhs(y, *rest)[0], *rhs(y, *rest)[1:]))
    assert source() != before


def test_an_edited_kernel_makes_another_program(monkeypatch, tmp_path):
    before = source()
    for file in emit.KERNEL.glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text().replace("MOST_STEPS = 200_000", "MOST_STEPS = 100"))
    monkeypatch.setattr(emit, "KERNEL", tmp_path)
    assert source() != before


def test_a_folder_that_was_asked_for_and_cannot_be_is_said_once(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MYELOSIM_CACHE", str(tmp_path / "file" / "nope"))
    cache.folder.cache_clear()
    assert cache.folder() == cache.folder() != tmp_path / "file" / "nope"
    cache.folder.cache_clear()
    assert [r.message for r in caplog.records] == [
        f"MYELOSIM_CACHE={tmp_path}/file/nope cannot be written; compiled programs are kept in {cache.folder()}"
    ]


def test_another_text_is_another_file(own_folder):
    first, second = (cache.program(TEXT.format(seconds=0, answer=a)) for a in (1, 2))
    assert (first.ANSWER, second.ANSWER) == (1, 2)
    assert first.__name__ != second.__name__
    assert {path.name for path in own_folder.glob("*.py")} == {f"{m.__name__}.py" for m in (first, second)}
    assert not list(own_folder.glob("*.tmp"))
    assert {path.suffix for path in cache.stored()} >= {".py"}
    assert cache.program(TEXT.format(seconds=0, answer=1)) is first


def test_what_it_is_compiled_with_names_it_too(own_folder, monkeypatch):
    first = cache.program(TEXT.format(seconds=0, answer=3))
    cache._versions.cache_clear()
    monkeypatch.setattr(cache.numba, "__version__", "0.0.0")
    try:
        assert cache.program(TEXT.format(seconds=0, answer=3)).__name__ != first.__name__
    finally:
        cache._versions.cache_clear()


def test_threads_never_see_half_a_program(own_folder):
    text = TEXT.format(seconds=0.2, answer=time.time())
    with ThreadPoolExecutor(4) as pool:
        answers = {m.ANSWER for m in pool.map(lambda _: cache.program(text), range(4))}
    assert len(answers) == 1


def test_a_program_that_cannot_be_imported_is_not_kept(own_folder):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            cache.program("1 / 0\n")


def test_a_folder_that_cannot_be_written_falls_back(own_folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MYELOSIM_CACHE", str(tmp_path / "file" / "programs"))
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path))
    cache.folder.cache_clear()
    assert cache.folder().parent == tmp_path and cache.folder().stat().st_mode & 0o077 == 0
    assert cache.program(TEXT.format(seconds=0, answer=4)).ANSWER == 4


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs owners of files")
def test_a_folder_others_made_is_not_trusted(own_folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("MYELOSIM_CACHE", str(tmp_path / "file" / "programs"))
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path))
    cache.folder.cache_clear()
    usual = cache.folder()
    monkeypatch.setattr(cache.os, "getuid", lambda: 12345)
    cache.folder.cache_clear()
    (tmp_path / "myelosim-12345").mkdir()
    assert cache.folder() not in (usual, tmp_path / "myelosim-12345")


def test_a_second_process_does_not_compile_again():
    code = (
        "import myelosim as ms\n"
        "ms.simulate(ms.load_model('generic_oral_2cmt_friberg'), 'drug 40 mg BID d1-7', days=7)\n"
        "from myelosim.engine import job\n"
        "for key, block in job._known.items():\n"
        "    stats = job._program(key, 'dp5' if block.parts else 'exact').solve.stats\n"
        "    print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))\n"
    )
    for _ in range(2):
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["1 0", "1 0"]
