"""The tutorial does what it says: its files are written, its commands and Python run, in the order of the page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


def played(page, folder):
    """Play a page in an empty folder, in a process of its own."""
    script = Path(__file__).with_name("play_page.py")
    call = [sys.executable, str(script), str(page)]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, timeout=280, check=False)


def test_what_it_shows_runs_in_its_order(root, tmp_path):
    done = played(root / "docs" / "tutorial.md", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    files, commands, examples = map(int, re.search(r"examples: (\d+) (\d+) (\d+)", done.stdout).groups())
    assert files >= 4 and commands >= 5 and examples >= 15


@pytest.mark.parametrize(
    "block",
    ["```python\n>>> 1 + 1\n3\n```", "```sh\nflnft frobnicate\n```", "```sh\nrm x\n```", "```python\nx = 1\n```"],
)
def test_what_is_not_so_is_found(tmp_path, block):
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{block}\n")
    assert played(page, tmp_path).returncode != 0
