"""The notebooks of examples/ run from top to bottom, in an empty folder, and leave nothing there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "examples").glob("*.ipynb"))


def played(notebook, folder):
    script = Path(__file__).with_name("play_notebook.py")
    call = [sys.executable, str(script), str(notebook)]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, timeout=280, check=False)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_cells_run(notebook, tmp_path):
    done = played(notebook, tmp_path)
    assert done.returncode == 0, done.stderr
    cells, shown = map(int, done.stdout.splitlines()[-1].split(":")[1].split())
    assert cells >= 5 and shown >= 2
    assert not list(tmp_path.iterdir())


def test_there_are_two_and_they_hold_no_output():
    assert {path.stem for path in NOTEBOOKS} >= {"market_study", "own_mechanism"}
    for path in NOTEBOOKS:
        cells = [each for each in json.loads(path.read_text(encoding="utf-8"))["cells"] if each["cell_type"] == "code"]
        assert not any(each["outputs"] or each["execution_count"] for each in cells), path


def test_a_cell_that_fails_is_found(tmp_path):
    cells = [{"cell_type": "code", "source": ["x = 1\n", "assert x == 2"]}]
    (tmp_path / "wrong.ipynb").write_text(json.dumps({"cells": cells}))
    assert played(tmp_path / "wrong.ipynb", tmp_path).returncode != 0
