"""A Ctrl-C in the program's first moment, while it is being imported, is a word and an exit status, no traceback."""

import random
import signal
import subprocess
import sys
import time

import pytest

STOPS_ITSELF = """
import os, signal, sys

class Stop:
    def find_spec(self, name, *_):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Stop())
from flnft_sim.__main__ import main
main()
"""


@pytest.mark.parametrize("module", ["flnft_sim.cli", "typer", "rich.console", "flnft_sim.cli.console"])
def test_a_stop_in_mid_import_is_a_word(module):
    done = subprocess.run([sys.executable, "-c", STOPS_ITSELF, module], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr, done.stdout) == (130, "flnft: stopped\n", "")


def test_it_is_the_program(capfd):
    done = subprocess.run([sys.executable, "-m", "flnft_sim", "--version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("flnft ")


@pytest.mark.slow
def test_stops_at_random_moments_leave_no_traceback_of_ours(tmp_path):
    """Before Python has come to our first line it speaks for itself, or is killed in silence."""
    moments, words = random.Random(0), [sys.executable, "-m", "flnft_sim", "scenarios"]
    for _ in range(100):
        process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(moments.uniform(0.0, 0.4))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert "flnft_sim/" not in said or "Traceback" not in said, said
        assert process.returncode in (0, 1, 130, -signal.SIGINT)
