"""Peers of local training: the same rounds in pfl-research and Flower's simulation, in an environment made here.

`python -m benchmarks learning_peers`. The environment lies under benchmarks/out and borrows PyTorch from this one.
Where a peer does not install, fails or takes too long, a line says so. Most of the time goes into starting Ray.
The ratio of CPU time holds on a busy machine too; that of wall-clock time only on an idle one.
"""

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np

from benchmarks._environment import ENVIRONMENT, PATIENCE_S, install, last_line
from benchmarks.learning import SIZES, WORKLOADS, Workload
from flnft_sim.learning import build_model
from flnft_sim.learning.engines.base import Descent
from flnft_sim.learning.engines.cpu.engine import CpuEngine

PEERS = {
    "pfl": ("pfl[pytorch]", "_peer_pfl.py", 1),
    "flower": ("flwr[simulation]", "_peer_flower.py", 2),
}  # last: cores
ROUNDS = 4  # the first is left out: it loads libraries


def main() -> None:
    """Print rounds of ten users, one local epoch, ours beside theirs, one after the other."""
    load = f"{os.getloadavg()[0]:.1f}"
    print(f"rounds of the same ten users beside peers, samples/s and how many times faster ours is; load {load}")
    failures = {name: install(requirement) for name, (requirement, *_) in PEERS.items()}
    for workload in WORKLOADS:
        rng = np.random.default_rng(0)
        x = rng.standard_normal((SIZES.sum(), *workload.shape), np.float32)
        y, cuts = rng.integers(0, 10, len(x)), np.cumsum(SIZES)[:-1]
        with TemporaryDirectory() as folder:
            for name, array in (("x", x), ("y", y), ("cuts", cuts)):
                np.save(Path(folder) / f"{name}.npy", array)
            for name, (_, script, cores) in PEERS.items():
                outcome = failures[name] or _round_seconds(script, Path(folder), workload.model)
                if isinstance(outcome, str):
                    print(f"  {workload.label:13} {name:7} skipped: {outcome}", flush=True)
                    continue
                ours = _ours_seconds(workload, x, y, cuts, cores)
                wall, cpu = outcome / ours
                print(
                    f"  {workload.label:13} {name:7} cores: {cores} {len(y) / outcome[0]:9,.0f}/s   "
                    f"ours {len(y) / ours[0]:9,.0f}/s {wall:6.1f}×   by CPU time {cpu:6.1f}×",
                    flush=True,
                )


def _round_seconds(script: str, folder: Path, model: str) -> np.ndarray | str:
    """Medians of (wall, CPU) seconds of a peer's warm rounds, or why there are none.

    A peer may leave daemons behind. They are in its process group, which is ended here, and they hold files open,
    not pipes that one would wait for.
    """
    command = [str(ENVIRONMENT / "bin" / "python"), str(Path(__file__).parent / script)]
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "FLWR_TELEMETRY_ENABLED": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    said, complaints = folder / "stdout", folder / "stderr"
    with said.open("w") as stdout, complaints.open("w") as stderr:
        peer = subprocess.Popen(
            [*command, str(folder), model, str(ROUNDS)],
            stdout=stdout,
            stderr=stderr,
            env=environment,
            start_new_session=True,
        )
        try:
            peer.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            return f"no result within {PATIENCE_S} s ({last_line(complaints.read_text())})"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(peer.pid, signal.SIGKILL)
            peer.wait()
    if peer.returncode:
        return f"it failed ({last_line(complaints.read_text())})"
    return np.median(json.loads(said.read_text().splitlines()[-1])[1:], axis=0)


def _ours_seconds(workload: Workload, x: np.ndarray, y: np.ndarray, cuts: np.ndarray, cores: int) -> np.ndarray:
    """Medians of (wall, CPU) seconds of our round: training and the mean that makes the next model."""
    model = build_model(workload.model, workload.shape, 10)
    params, seconds = model.initial(0), []
    shards = list(zip(np.split(x, cuts), np.split(y, cuts), strict=True))
    weights = np.array([len(labels) for _, labels in shards]) / len(y)
    engine, users = CpuEngine(threads=cores), np.arange(len(shards))
    for round_index in range(ROUNDS):
        start = perf_counter(), process_time()
        descent = Descent(np.ones(len(shards), np.int64), batch_size=64, lr=0.01, momentum=0.5, seed=round_index)
        starts = np.broadcast_to(params, (len(shards), len(params)))
        trained, _, _ = engine.train(model, starts, shards, descent, users=users)
        params = (weights @ trained).astype(np.float32)
        seconds.append((perf_counter() - start[0], process_time() - start[1]))
    return np.median(seconds[1:], axis=0)
