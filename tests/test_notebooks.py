"""Notebooks run as they stand, on few subjects, and show their pictures."""

from pathlib import Path

import jupytext
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "pictures", "tables"),
    [
        ("compare_schedules", 3, 4),
        ("design_sampling_schedule", 2, 11),
        ("dose_ranging_sweep", 2, 7),
        ("fit_pilot_cbc", 8, 7),
    ],
)
def test_notebook_runs_and_shows_what_it_promises(name, pictures, tables, monkeypatch, tmp_path):
    monkeypatch.setenv("MYELOSIM_NOTEBOOK_SIZE", "48")
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = jupytext.read(FOLDER / f"{name}.py")
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(FOLDER.parent)}}
    ).execute()
    shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in data for data in shown) == pictures
    assert sum("text/html" in data for data in shown) == tables
