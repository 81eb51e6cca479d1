"""One run of a sweep: what is sent to a worker, and what comes back."""

import hashlib
import re
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from flnft_sim.errors import FlnftError
from flnft_sim.imports import Source, offer
from flnft_sim.machine import code_version
from flnft_sim.sweeps.simulator import Simulator

Record = dict[str, Any]  # a line of the journal

ERROR_LENGTH = 300


class VersionMismatchError(FlnftError):
    """A worker runs other sources than the program that sends it work."""


@dataclass(frozen=True)
class Job:
    """One run, complete: a worker needs neither the sweep file nor the scenario's."""

    key: str
    parameters: Mapping[str, Any]
    resolved: Mapping[str, Any]
    series: tuple[str, ...]  # columns of the per-round table to keep
    code_version: str
    simulator: Simulator
    sources: tuple[Source, ...] = ()
    """Files of parts that the scenario imports: a worker may be where they are not."""


def run_key(run_identity: str, version: str) -> str:
    """The journal's key of a run: (resolved scenario, seed, code version)."""
    return hashlib.sha256(f"{run_identity} {version}".encode()).hexdigest()[:32]


def execute(job: Job) -> Record:
    """Run a job; an exception of the run becomes a failed record, with its traceback."""
    if code_version() != job.code_version:
        raise VersionMismatchError(
            f"a worker has flnft_sim {code_version()}, the sweep was started by {job.code_version}; "
            "install the same version on both, and leave its sources alone while it runs"
        )
    start = time.perf_counter()
    try:
        for source in job.sources:
            offer(source)
        output = job.simulator.run(job.resolved)
        summary = {name: plain(value) for name, value in output.summary.items()}
        series = _series(output.rounds, job.series) if job.series else None
    except Exception as error:
        return failure(job, error, details=traceback.format_exc(), wall_s=time.perf_counter() - start)
    record = _record(job, "ok", time.perf_counter() - start) | {"summary": summary}
    return record | {"series": series} if series is not None else record


def failure(job: Job, error: BaseException, *, details: str = "", wall_s: float = 0.0) -> Record:
    """The record of a run that did not end well."""
    return _record(job, "failed", wall_s) | {"error": one_line(error), "traceback": details}


def one_line(error: BaseException) -> str:
    """`TypeName: message` on one line, without memory addresses, which differ from run to run."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return re.sub(r"\b0x[0-9a-fA-F]+", "0x…", text)[:ERROR_LENGTH]


def plain(value: Any) -> Any:
    """A NumPy scalar or array as JSON's own types; anything else unchanged."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def _record(job: Job, status: str, wall_s: float) -> Record:
    return {
        "key": job.key,
        "parameters": dict(job.parameters),
        "seed": job.resolved.get("seed"),
        "status": status,
        "wall_s": round(wall_s, 6),
    }


def _series(rounds: Any, wanted: tuple[str, ...]) -> dict[str, list[Any]]:
    """The wanted columns of the per-round table (empty where it has no such column), and which round it was."""
    which = [name for name in ("dao", "round") if name in rounds]
    return {name: rounds[name].tolist() if name in rounds else [] for name in dict.fromkeys((*which, *wanted))}
