"""The runs of a plan, in plan order, each with its identity; nothing here grows with what runs produce."""

from collections.abc import Iterator
from typing import NamedTuple

from flnft_sim.errors import InputError
from flnft_sim.sweeps.identity import identity
from flnft_sim.sweeps.job import Job, run_key
from flnft_sim.sweeps.plan import PlanError, Point, SweepPlan
from flnft_sim.sweeps.simulator import Simulator


class Run(NamedTuple):
    """One run of the plan: point number, its parameters, seed, and the identity of the resolved scenario."""

    point: int
    parameters: Point
    seed: int
    identity: str


class Runs:
    """All runs of a plan. Making it resolves every point once, so that a bad value stops a sweep before it starts."""

    def __init__(self, plan: SweepPlan, simulator: Simulator) -> None:
        self.plan, self._simulator = plan, simulator
        self.points = plan.points()
        self._identities = [
            identity({**resolved, "seed": seed})
            for resolved in (self._resolve(number) for number in range(len(self.points)))
            for seed in plan.seeds
        ]

    def __len__(self) -> int:
        return len(self._identities)

    def __iter__(self) -> Iterator[Run]:
        seeds = self.plan.seeds
        for number, run_identity in enumerate(self._identities):
            point, seed = divmod(number, len(seeds))
            yield Run(point, self.points[point], seeds[seed], run_identity)

    def job(self, run: Run, *, code_version: str) -> Job:
        """The run as it is sent to a worker."""
        return Job(
            key=run_key(run.identity, code_version),
            parameters=run.parameters,
            resolved={**self._resolve(run.point), "seed": run.seed},
            series=self.plan.per_round,
            code_version=code_version,
            simulator=self._simulator,
        )

    def _resolve(self, number: int) -> dict[str, object]:
        point = self.points[number]
        try:
            return self._simulator.resolve(self.plan.scenario, {**self.plan.set, **point})
        except InputError as error:
            values = ", ".join(f"{field}={value}" for field, value in point.items())
            place = f"sweep {self.plan.name}, point {number}" + (f" ({values})" if values else "")
            raise PlanError("\n".join(f"{place}: {line}" for line in str(error).splitlines())) from None
