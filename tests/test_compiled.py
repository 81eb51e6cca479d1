"""Compiled code: kept by what it is made of, exact, and out of the way of whoever compiles nothing."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from flnft_sim.compiled import Kept


def test_whoever_compiles_nothing_starts_no_compiler():
    """Numba takes half a second to start."""
    script = "import sys, flnft_sim.compiled; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numba", "llvmlite", "numpy"} & set(loaded)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Make a place for the functions of the files in a folder of this test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "room"
    folder.mkdir()
    (folder / "kernels.py").write_text("one = 1")
    return lambda **salt: Kept(folder, **salt)


def test_another_source_or_another_salt_is_kept_elsewhere(kept, tmp_path):
    first, same, salted = kept().directory, kept().directory, kept(salt=lambda: "8").directory
    (tmp_path / "room" / "kernels.py").write_text("one = 2")
    assert first == same
    assert len({first, salted, kept().directory}) == 3
    assert first.is_relative_to(tmp_path / "cache")
    assert first.stat().st_mode & 0o077 == 0  # others must not plant machine code there


def test_what_is_compiled_once_is_cold_once(kept):
    colds = []
    for place in (kept(), kept()):
        with place.compiling("sums") as cold:
            colds.append(cold)
    with kept().compiling("products") as cold:
        colds.append(cold)
    assert colds == [True, False, True]


def test_the_same_sources_elsewhere_or_written_again_are_cold(kept, tmp_path):
    """Numba keeps code by the path that it was called by, and compiles anew, in whatever process calls it."""

    def is_cold(folder):
        with Kept(folder).compiling("sums") as cold:
            return cold

    here, there = tmp_path / "room", shutil.copytree(tmp_path / "room", tmp_path / "clone")
    (tmp_path / "link").symlink_to(here)
    assert kept().directory == Kept(there).directory
    folders = (here, there, tmp_path / "link")
    assert [is_cold(folder) for folder in folders * 2] == [True] * 3 + [False] * 3
    for seconds in (1, 2, 1):
        os.utime(here / "kernels.py", (seconds, seconds))
        assert [is_cold(folder) for folder in (here, there)] == [True, False]


def test_what_fails_to_compile_stays_cold(kept):
    with pytest.raises(ZeroDivisionError), kept().compiling("sums"):
        raise ZeroDivisionError
    with kept().compiling("sums") as cold:
        assert cold


def test_exact_code_keeps_the_order_of_sums_and_what_is_no_number(kept):
    @kept().exact
    def summed(values, divisor):
        total = 0.0
        for value in values:
            total += value
        return total / divisor

    values = np.array([1.0, 1e16, -1e16, 3.0])
    assert summed(values, 1.0) == ((1.0 + 1e16) - 1e16) + 3.0 != values[::-1].cumsum()[-1]
    assert summed(values, 0.0) == np.inf
    assert np.isnan(summed(np.array([np.nan, np.inf]), 2.0))


def test_compiling_apart_is_another_process_that_imports_as_this_one_does(kept, tmp_path, monkeypatch):
    (tmp_path / "apart.py").write_text(
        "import os\nfrom pathlib import Path\ndef note(file, text): Path(file).write_text(f'{text} {os.getpid()}')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    kept().compile_apart("apart:note", str(tmp_path / "note"), "compiled by")
    *words, process = (tmp_path / "note").read_text().split()
    assert words == ["compiled", "by"]
    assert int(process) != os.getpid()


@pytest.mark.parametrize("name", ["apart:missing", "no_such_module:note"])
def test_what_does_not_compile_apart_is_left_to_whoever_calls_it(kept, name):
    kept().compile_apart(name)


def test_where_nothing_can_be_kept_nothing_is_compiled_apart(kept, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a directory")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_named: pytest.fail("a process was started"))
    kept().compile_apart("apart:note")
