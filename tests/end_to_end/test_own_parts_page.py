"""docs/own-parts.md, done: its files are written, and its commands run one after another."""

import re
import shlex
import subprocess
import sys

import pytest

from flnft_sim import imports
from flnft_sim.cli import main

BLOCK = re.compile(r"^```(python|yaml|console)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)


def do(language, text, folder, monkeypatch):
    """Write a block that begins with a file's name (and run tests), run other Python, type commands."""
    if language == "console":
        for line in re.findall(r"^\$ flnft (.+)$", text, flags=re.MULTILINE):
            monkeypatch.setattr(sys, "argv", ["flnft", *shlex.split(line)])
            with pytest.raises(SystemExit) as left:
                main()
            assert left.value.code == 0, line
    elif named := re.match(r"# (\S+\.\w+)\n", text):
        (folder / named[1]).write_text(text, encoding="utf-8")
        if named[1].startswith("test_"):
            tested = subprocess.run([sys.executable, "-m", "pytest", "-q", named[1]], cwd=folder, check=False)
            assert tested.returncode == 0, named[1]
    else:
        exec(compile(text, "own-parts.md", "exec"), {})


@pytest.mark.timeout(280)
def test_every_example_works(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall((root / "docs/own-parts.md").read_text(encoding="utf-8"))
    assert {language for language, _ in blocks} == {"python", "yaml", "console"}
    try:
        for language, text in blocks:
            do(language, text, tmp_path, monkeypatch)
    finally:
        for active in imports._active.values():
            imports._forget(active.names)
        imports._active.clear()


def test_a_command_that_fails_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError):
        do("console", "$ flnft run nowhere.yaml\n", tmp_path, monkeypatch)
