"""The README does what it says: its Python examples are run, and so are the commands it shows."""

import doctest
import os
import re
import shlex
import subprocess
import sys

import pytest

SHOWN_ELSEWHERE = ("make scenario", "make test")  # the run of roblox10 is a slow test, and this is `make test`


def commands(root):
    """Every command of the README's shell blocks, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_its_python_examples(root):
    outcome = doctest.testfile(str(root / "README.md"), module_relative=False)
    assert outcome.attempted >= 4 and outcome.failed == 0


def test_its_commands_in_their_order(root, tmp_path):
    """Run from an empty folder, with the program of this environment in place of `.venv/bin/flnft`."""
    shown = [line for line in commands(root) if not line.startswith(SHOWN_ELSEWHERE)]
    assert len(shown) >= 4
    for line in shown:
        program, *words = shlex.split(line)
        assert program == ".venv/bin/flnft", f"do not know how to test {line!r}"
        call = [sys.executable, "-c", "from flnft_sim.cli import main; main()", *words]
        done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False)
        assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_make_help_lists_every_target_the_readme_names(root):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    help_text = subprocess.run(
        ["make", "help"], cwd=root, capture_output=True, text=True, check=True, env=environment
    ).stdout
    named = set(re.findall(r"make ([a-z-]+)", (root / "README.md").read_text(encoding="utf-8")))
    for target in named:
        assert f"make {target} " in help_text


@pytest.mark.slow
def test_the_first_command(root):
    done = subprocess.run(
        ["make", "scenario", "NAME=roblox10", "ARGS=--force"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "money conserved" in done.stdout, done.stderr
