"""One run a folder: who comes second is told so at once, and a claim dies with its process."""

import os
import signal
import subprocess
import sys

import pytest
from synthetic_episode import episode

from flnft_sim.errors import InputError
from flnft_sim.results import Claim, RunResult, altered_files

HOLD = """
import sys
from pathlib import Path
from flnft_sim.results.claim import Claim
with Claim(Path(sys.argv[1]), force=False):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_claimed_folder_is_refused_also_by_force_and_a_dead_process_holds_nothing(tmp_path):
    run = tmp_path / "run"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        for force in (False, True):
            with (
                pytest.raises(InputError, match=rf"still under way \(process {holder.pid}\)"),
                Claim(run, force=force),
            ):
                pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert [path.name for path in run.iterdir()] == [".claim"]
    with Claim(run, force=False):
        pass
    assert not list(run.iterdir())


def test_two_claims_of_one_process_exclude_each_other_and_follow_each_other(tmp_path):
    for _ in range(2):
        with Claim(tmp_path / "run", force=False), pytest.raises(InputError, match=str(os.getpid())):
            episode().save(tmp_path / "run", force=True)
    episode().save(tmp_path / "run", figures=False)
    assert not (tmp_path / "run/.claim").exists()


def test_what_was_made_for_nothing_goes_and_what_was_there_stays(tmp_path):
    with Claim(tmp_path / "a/b/run", force=False):
        assert (tmp_path / "a/b/run").is_dir()
    assert not (tmp_path / "a").exists()
    (tmp_path / "mine").mkdir()
    with Claim(tmp_path / "mine/run", force=False) as claim:
        episode().save(claim.directory, claim=claim, figures=False)
    with Claim(tmp_path / "mine", force=True):
        pass
    assert RunResult.load(tmp_path / "mine/run")


def test_a_stop_while_drawing_leaves_a_manifest_that_lists_what_is_drawn(tmp_path, monkeypatch):
    def two_and_a_stop(_result, _format):
        yield "one", b"1"
        yield "two", b"2"
        raise KeyboardInterrupt

    monkeypatch.setattr("flnft_sim.results.run_result.render_all", two_and_a_stop)
    with pytest.raises(KeyboardInterrupt):
        episode().save(tmp_path / "run")
    assert RunResult.load(tmp_path / "run")
    assert altered_files(tmp_path / "run") == []
    (tmp_path / "run/figures/two.png").write_bytes(b"3")
    assert altered_files(tmp_path / "run") == ["figures/two.png"]
