"""A sweep survives what happens to it: it goes on where it was, is spread over processes, and is never mixed with another."""

import shutil
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from sweep_cases import AXIS, small

import myelosim as ms
from myelosim.spec.sweeps import load_sweep
from myelosim.sweeping import Filling, block


def contents(folder):
    """Return every file of a store with its bytes."""
    root = Path(folder) / "subjects.zarr"
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    ms.sweep(small(), folder=folder)
    return folder


class Killed(Exception):
    pass


@pytest.mark.parametrize("after", [1, 20])
def test_a_killed_sweep_goes_on_and_ends_with_the_same_bits(whole, tmp_path, monkeypatch, after):
    steps = []
    honest = zarr.Array.__setitem__

    def dies(array, place, value):
        steps.append(array.name)
        if len(steps) > after:
            raise Killed
        honest(array, place, value)

    monkeypatch.setattr(zarr.Array, "__setitem__", dies)
    with pytest.raises(Killed):
        ms.sweep(small(), folder=tmp_path, threads=1)
    monkeypatch.undo()
    left = Filling(load_sweep(small()), tmp_path).missing()
    assert 0 < len(left) <= 21
    again = []
    run = block.run
    monkeypatch.setattr(block, "run", lambda path, task: (again.append(task), run(path, task)))
    ms.sweep(small(), folder=tmp_path)
    assert len(again) == len(left)
    assert contents(tmp_path) == contents(whole)


def test_a_block_is_marked_only_when_it_is_whole(whole, tmp_path):
    shutil.copytree(whole / "subjects.zarr", tmp_path / "subjects.zarr")
    filling = Filling(load_sweep(small()), tmp_path)
    assert filling.missing() == []
    filling.store.array("cells", "done")[2, 1, 0] = 0
    filling.store.array("cells", "nadir")[2, 1, :16] = np.nan  # as if killed in between
    (task,) = filling.missing()
    assert task.cell.index == (2, 1) and (task.first, task.size) == (0, 16)
    filling.run()
    assert contents(tmp_path) == contents(whole)


def test_shards_fill_one_store_and_the_last_collects(whole, tmp_path):
    held = load_sweep(small())
    for k in (3, 1, 2):
        filling = Filling(held, tmp_path)
        with pytest.raises(ms.SpecError, match="blocks are missing"):
            filling.collect()
        filling.run(shard=(k, 3))
    assert contents(tmp_path) == contents(whole)
    assert filling.collect().sizes["dose"] == 3


def test_another_sweep_is_refused(whole, tmp_path):
    shutil.copytree(whole / "subjects.zarr", tmp_path / "subjects.zarr")
    other = small(axis={**AXIS, "dose": ["20 mg", "40 mg", "81 mg"]})
    with pytest.raises(ms.SpecError, match="cannot be mixed"):
        ms.sweep(other, folder=tmp_path)
    assert contents(tmp_path) == contents(whole)
    ms.sweep(other, folder=tmp_path, overwrite=True)
    assert contents(tmp_path) != contents(whole)


def test_a_question_is_asked_of_the_same_subjects(whole, monkeypatch):
    monkeypatch.setattr(block, "run", lambda path, task: pytest.fail("simulated anew"))
    asked = small(limit={"lineage": "neutrophil", "probability": 0.05}, title="Another title")
    assert ms.sweep(asked, folder=whole).attrs["title"] == "Another title"


def test_a_folder_that_is_no_store_is_kept(tmp_path):
    (tmp_path / "subjects.zarr").mkdir()
    (tmp_path / "subjects.zarr" / "mine.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(ms.SpecError, match="holds no sweep"):
            ms.sweep(small(), folder=tmp_path, overwrite=overwrite)
    assert (tmp_path / "subjects.zarr" / "mine.txt").exists()


def test_the_store_opens_with_its_dims(whole):
    ds = xr.open_zarr(whole / "subjects.zarr", group="cells", consolidated=False, chunks=None)
    assert ds["nadir"].dims == ("dose", "schedule", "subject", "lineage")
    assert ds.sizes["subject"] == 40 and ds["worst_grade"].dtype == np.int8
    about = zarr.open_group(whole / "subjects.zarr", mode="r").attrs
    assert about["axes"] == AXIS and about["lineages"] == ["neutrophil"]


def test_courses_of_a_cell_list_only(tmp_path):
    found = ms.sweep(small(keep={"subjects": [20], "cells": [{"dose": "80 mg", "schedule": "BID d1-7"}]}))
    there = found["count"].notnull().any(["lineage", "time"]).sel(kept=20)
    assert int(there.sum()) == 1 and bool(there.sel(dose="80 mg", schedule="BID d1-7"))


def test_any_executor(whole, tmp_path):
    with ThreadPoolExecutor(2) as pool:
        ms.sweep(small(), folder=tmp_path, executor=pool)
    assert contents(tmp_path) == contents(whole)


@pytest.mark.slow
def test_a_dask_cluster(whole, tmp_path):
    distributed = pytest.importorskip("distributed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of ports, and of memory limits
        cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        with cluster, distributed.Client(cluster) as client:
            ms.sweep(small(), folder=tmp_path, executor=client.get_executor())
    assert contents(tmp_path) == contents(whole)
