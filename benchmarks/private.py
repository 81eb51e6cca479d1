"""Private training: an epoch of DP-SGD beside the same engine's plain one, and beside both modes of Opacus.

`python -m benchmarks private`. Lots of 500 from 5,000 images of 28×28, tanh, on one core and on two. Opacus 1.6 runs in
an environment made here (benchmarks/out). All of a turn is timed one after the other and ratios are those of processor
time within a turn, medians over turns: other work on the machine moves all of them together.
"""

import json
import os
import subprocess
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np

from benchmarks._environment import ENVIRONMENT, install
from flnft_sim.learning import build_model
from flnft_sim.learning.engines.base import Descent, PrivateDescent
from flnft_sim.learning.engines.cpu import engine
from flnft_sim.learning.engines.cpu.engine import CpuEngine

REQUIREMENT = "opacus==1.6.0"
RECORDS, RATE = 5000, 0.1
TURNS = 7
SHAPE = (1, 28, 28)
#: What a private epoch may cost beside a plain one, and how many times faster it is meant to be than Opacus' modes.
GOALS = {"mlp": (1.4, {"hooks": 15.0, "ghost": 1.6}), "cnn": (1.4, {"hooks": 4.5, "ghost": 4.5})}

type Times = list[float]  # wall and CPU seconds


def main() -> None:
    """Print seconds and ratios for both models on one core and on two."""
    failure = install(REQUIREMENT)
    print(
        f"an epoch of {RECORDS:,} records in lots of {RATE * RECORDS:.0f}, CPU seconds; load {os.getloadavg()[0]:.1f}"
    )
    if failure:
        print(f"  {REQUIREMENT} skipped: {failure}")
    for cores in (1, 2):
        for name, goals in GOALS.items():
            _compare(name, cores, goals, peers=not failure)


def _compare(name: str, cores: int, goals: tuple[float, dict[str, float]], *, peers: bool) -> None:
    """One user a core here, as many images a core; Opacus gets as many threads for one user's."""
    rng = np.random.default_rng(0)
    x, y = rng.random((RECORDS, *SHAPE), np.float32), rng.integers(0, 10, RECORDS)
    model = build_model(name, SHAPE, 10, activation="tanh")
    for private in (False, True):
        engine.warm_up(model, private=private, announce=print)
    with TemporaryDirectory() as folder:
        for title, array in (("x", x), ("y", y)):
            np.save(Path(folder) / f"{title}.npy", array)
        modes = list(goals[1]) if peers else []
        peer = _peer(folder, name, cores) if peers else None
        turns = []
        for _ in range(TURNS + 1):
            told = {
                "private": _ours(model, x, y, cores, private=True),
                "plain": _ours(model, x, y, cores, private=False),
            }
            turns.append(told | {mode: _asked(peer, mode) for mode in modes})
        if peer is not None:
            peer.communicate(timeout=60)
    _tell(name, cores, goals, turns[1:])  # the first loads libraries


def _tell(name: str, cores: int, goals: tuple[float, dict[str, float]], turns: list[dict[str, Times]]) -> None:
    own, theirs = goals

    def ratio(slow: str, fast: str, clock: int = 1) -> float:
        return median(turn[slow][clock] / turn[fast][clock] for turn in turns)

    seconds = {what: median(turn[what][1] for turn in turns) for what in turns[0]}
    print(f"{name}, {cores} core{'s' if cores > 1 else ''}: " + ", ".join(f"{k} {v:.3f} s" for k, v in seconds.items()))
    print(f"  private / plain {ratio('private', 'plain'):.2f} (goal at most {own:g})")
    for mode, goal in theirs.items():
        if mode in seconds:
            faster = f"{ratio(mode, 'private'):.1f} (goal at least {goal:g})"
            print(f"  Opacus {mode} / private {faster}; by the clock {ratio(mode, 'private', 0):.1f}")


def _ours(model, x: np.ndarray, y: np.ndarray, cores: int, *, private: bool) -> Times:
    """Seconds for an epoch of one user, of as many at once as there are cores."""
    users, own = np.arange(cores), CpuEngine(threads=cores)
    start, shards, ones = (
        np.broadcast_to(model.initial(0), (cores, model.parameter_count)),
        [(x, y)] * cores,
        np.ones(cores),
    )
    clock = perf_counter(), process_time()
    if private:
        descent = PrivateDescent(
            first=0 * users, steps=0 * users + round(1 / RATE), lots=RATE * RECORDS * ones, deviations=2.0 * ones,
            sampling_rate=RATE, clip_l2=1.0, lr=0.1, momentum=0.0, seed=1,
        )  # fmt: skip
        own.train_privately(model, start, shards, descent, users=users)
    else:
        plain = Descent(np.ones(cores, np.int64), batch_size=int(RATE * RECORDS), lr=0.1, momentum=0.5, seed=1)
        own.train(model, start, shards, plain, users=users)
    return [(perf_counter() - clock[0]) / cores, (process_time() - clock[1]) / cores]


def _peer(folder: str, name: str, cores: int) -> subprocess.Popen[str]:
    script = Path(__file__).parent / "_peer_opacus.py"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "OMP_NUM_THREADS": str(cores)}
    command = [str(ENVIRONMENT / "bin" / "python"), str(script), folder, name, str(cores), str(RATE)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def _asked(peer: subprocess.Popen[str] | None, mode: str) -> Times:
    assert peer is not None and peer.stdin is not None and peer.stdout is not None
    print(mode, file=peer.stdin, flush=True)
    answer: Times = json.loads(peer.stdout.readline())
    return answer
