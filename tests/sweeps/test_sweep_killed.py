"""Sweeps that are killed at random moments, and clusters that lose a worker."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sweep_toys import Toy

from flnft_sim.sweeps import Reporter, SweepOptions, run_sweep
from flnft_sim.sweeps.backends import ClusterError

PROGRAM = Path(__file__).with_name("sweep_program.py")
KILLS = {"serial": 17, "cluster": 3}  # 20 in all; starting a cluster takes seconds


def start(plan, out, **options):
    toy = options.pop("toy", {})
    setting = {"plan": plan, "out": str(out), "options": options, "toy": toy}
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), json.dumps(setting)],
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def journal_lines(out):
    journal = out / "journal.jsonl"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def kill_group(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def gone(group, within_s):
    """Whether every process of a group ends within so many seconds."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("where", ["serial", "cluster"])
def test_killed_at_random_moments_a_sweep_ends_with_the_same_bytes(tmp_path, where):
    plan = {"scenario": "toy", "grid": {"x": list(range(40)), "y": [1, 2]}, "seeds": 2, "baseline": {"y": 1}}
    run_sweep(plan, SweepOptions(serial=True), out=tmp_path / "whole", simulator=Toy())
    log, out = tmp_path / "log", tmp_path / "out"
    options = {"serial": True} if where == "serial" else {"workers": 2}
    moments = random.Random(20)
    for _ in range(KILLS[where]):
        lines, early = journal_lines(out), moments.random() < 0.1
        process = start(plan, out, toy={"log": str(log), "pause_s": 0.02}, **options)
        while not early and journal_lines(out) == lines and process.poll() is None:
            time.sleep(0.02)
        time.sleep(moments.uniform(0, 1.0 if early else 0.25))
        kill_group(process)
    finished = start(plan, out, toy={"log": str(log)}, **options)
    _, complaint = finished.communicate(timeout=120)
    assert finished.returncode == 0, complaint.decode()
    for table in ("runs.csv", "summary.csv", "differences.csv"):
        assert (out / table).read_bytes() == (tmp_path / "whole" / table).read_bytes()
    keys = [record["key"] for line in (out / "journal.jsonl").open() if "key" in (record := json.loads(line))]
    assert len(keys) == len(set(keys)) == 160  # no finished run was run again


def test_ctrl_c_stops_all_workers_quietly_and_the_sweep_resumes(tmp_path):
    plan = {"scenario": "toy", "grid": {"x": list(range(60))}}
    process = start(plan, tmp_path / "out", workers=2, toy={"pause_s": 0.1})
    while journal_lines(tmp_path / "out") < 5:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
    _, complaint = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert complaint.decode().count("Traceback") == 1  # the program's own; its workers say nothing
    assert gone(process.pid, within_s=10)
    assert 5 <= journal_lines(tmp_path / "out") < 61
    outcome = run_sweep(plan, SweepOptions(serial=True), out=tmp_path / "out", simulator=Toy())
    assert (outcome.runs, outcome.failed) == (60, 0)


class KillAt(Reporter):
    """Kills a process when so many runs are done."""

    def __init__(self, process, done):
        self.process, self.done = process, done

    def update(self, progress):
        if progress.done == self.done:
            kill_group(self.process)


@pytest.fixture
def cluster(tmp_path):
    """A real scheduler and two real workers, each a process of its own: (address, workers)."""
    address_file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True, "cwd": tmp_path}
    reach = ["--scheduler-file", str(address_file)]
    processes = [
        subprocess.Popen([*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *reach], **quiet)
    ]
    try:
        deadline = time.monotonic() + 60
        while not address_file.exists():
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.1)
        worker = [
            *dask,
            "worker",
            "--nthreads",
            "1",
            "--no-nanny",
            "--no-dashboard",
            "--local-directory",
            str(tmp_path),
        ]
        processes += [subprocess.Popen([*worker, *reach], **quiet) for _ in range(2)]
        yield json.loads(address_file.read_text())["address"], processes[1:]
    finally:
        for process in processes:
            kill_group(process)


def test_a_cluster_that_loses_a_worker_gives_the_same_tables(tmp_path, cluster):
    address, workers = cluster
    plan = {"scenario": "toy", "grid": {"x": list(range(30)), "kind": ["plain", "broken"]}}
    run_sweep(plan, SweepOptions(serial=True), out=tmp_path / "serial", simulator=Toy())
    outcome = run_sweep(
        plan,
        SweepOptions(scheduler=address),
        out=tmp_path / "out",
        simulator=Toy(pause_s=0.05),
        reporter=KillAt(workers[0], done=20),
    )
    assert workers[0].poll() == -signal.SIGKILL and workers[1].poll() is None
    assert (outcome.runs, outcome.failed) == (60, 30)
    for table in ("runs.csv", "summary.csv"):
        assert (tmp_path / "out" / table).read_bytes() == (tmp_path / "serial" / table).read_bytes()


def test_a_run_that_kills_its_worker_is_a_row_and_its_neighbours_are_not_blamed(tmp_path):
    plan = {"scenario": "toy", "zip": {"kind": ["plain", "deadly", "plain", "plain"], "x": [1, 2, 3, 4]}}
    outcome = run_sweep(plan, SweepOptions(workers=2), out=tmp_path, simulator=Toy(pause_s=0.2))
    rows = (tmp_path / "runs.csv").read_text().splitlines()[1:]
    assert outcome.failed == 1
    assert [",failed,WorkerDiedError: its worker died" in row for row in rows] == [False, True, False, False]


def test_a_scheduler_that_does_not_answer_is_named_within_seconds(tmp_path):
    start_s = time.monotonic()
    with pytest.raises(ClusterError, match=r"no Dask scheduler answers at tcp://127.* leave out --scheduler"):
        run_sweep({"scenario": "toy"}, SweepOptions(scheduler="tcp://127.0.0.1:1"), out=tmp_path, simulator=Toy())
    assert time.monotonic() - start_s < 15
