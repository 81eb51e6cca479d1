"""What a sweep would do and how long it would take, from one probe run."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flnft_sim.machine import cores
from flnft_sim.sweeps.plan import Point, SweepPlan, load_plan
from flnft_sim.sweeps.runs import Runs
from flnft_sim.sweeps.simulator import FlnftSimulator, Simulator


@dataclass(frozen=True)
class Forecast:
    """The points and runs of a plan, and the seconds that one of its runs took."""

    plan: SweepPlan
    points: list[Point]
    runs: int
    probe_s: float
    workers: int
    unknown_metrics: tuple[str, ...]

    @property
    def estimate_s(self) -> float:
        """Seconds for all runs at the probe's pace; the probe also loads and compiles, so this is rather too long."""
        return self.probe_s * -(-self.runs // self.workers)


def forecast(
    plan: SweepPlan | Mapping[str, Any] | str | Path,
    *,
    workers: int | None = None,
    simulator: Simulator | None = None,
    imports: tuple[str | Path, ...] = (),
) -> Forecast:
    """Plan a sweep and time the run in the middle of it; writes nothing."""
    plan, simulator = load_plan(plan), simulator or FlnftSimulator(imports)
    runs = Runs(plan, simulator)
    probe = plan.overrides(runs.points[len(runs.points) // 2])
    resolved = simulator.resolve(plan.scenario, probe) | {"seed": plan.seeds[0]}
    start_s = time.perf_counter()
    summary = simulator.run(resolved).summary
    probe_s = time.perf_counter() - start_s
    unknown = tuple(metric for metric in plan.metrics if metric not in summary)
    return Forecast(plan, runs.points, len(runs), probe_s, min(workers or cores(), len(runs)), unknown)
