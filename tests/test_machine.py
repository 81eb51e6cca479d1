"""What is held of the machine: locks that end with their holder, threads that come back, no library of one system."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest
import torch

from flnft_sim.machine import code_version, cores, lock, one_thread

WITHOUT_FCNTL = """
import sys
sys.modules["fcntl"] = sys.modules["resource"] = sys.modules["termios"] = None  # what Windows has not
import flnft_sim.sweeps, flnft_sim.results, flnft_sim.cli
print("imported")
"""


def test_a_lock_excludes_other_descriptors_until_its_own_is_closed(tmp_path: Path) -> None:
    first, second = (os.open(tmp_path / "held", os.O_RDWR | os.O_CREAT) for _ in range(2))
    try:
        assert lock(first)
        assert not lock(second)
        os.close(first)
        assert lock(second)
    finally:
        os.close(second)


def test_the_threads_of_before_come_back_also_after_an_error() -> None:
    numba.get_num_threads()  # starts its threads, and with them may set OpenMP's count, which PyTorch reads
    before = torch.get_num_threads(), numba.get_num_threads()
    with pytest.raises(ZeroDivisionError), one_thread("torch", "numba"):
        assert (torch.get_num_threads(), numba.get_num_threads()) == (1, 1)
        raise ZeroDivisionError
    assert (torch.get_num_threads(), numba.get_num_threads()) == before


def test_sweeps_and_results_import_without_the_libraries_of_one_system() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_FCNTL], capture_output=True, text=True, check=False)
    assert done.stdout == "imported\n", done.stderr


def test_the_code_version_names_the_sources_and_there_is_a_core() -> None:
    version, _, digest = code_version().partition("+")
    assert version and len(digest) == 12
    assert cores() >= 1
