"""The runs of a plan, in plan order, each with its identity; nothing here grows with what runs produce."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flnft_sim.errors import InputError, bare
from flnft_sim.imports import source_of
from flnft_sim.sweeps.identity import identity
from flnft_sim.sweeps.job import Job, Record, run_key
from flnft_sim.sweeps.plan import PlanError, Point, SweepPlan
from flnft_sim.sweeps.simulator import Simulator


class Run(NamedTuple):
    """One run of the plan: point number, its parameters, seed, and the identity of the resolved scenario."""

    point: int
    parameters: Point
    seed: int
    identity: str


class Runs:
    """All runs of a plan. Making it resolves every point once, so that a bad value stops a sweep before it starts.

    Points are told apart by what they resolve to: two of a plan's lists that resolve alike are an error (a sample may
    draw a point twice), and `references` are the points that have the baseline's values, however they are written.
    """

    def __init__(self, plan: SweepPlan, simulator: Simulator) -> None:
        self.plan, self._simulator = plan, simulator
        self.points = plan.points()
        self._identities: list[str] = []
        first: dict[str, int] = {}  # identity -> the first point that has it
        references = []
        for number in range(len(self.points)):
            resolved = self._resolve(number)
            self._identities += [identity({**resolved, "seed": seed}) for seed in plan.seeds]
            alike = identity({**resolved, "seed": 0})
            self._refuse_twin(first.setdefault(alike, number), number)
            if plan.baseline and self._with_baseline(number) == alike:
                references.append(number)
        self.references = frozenset(references)
        if plan.baseline and not references:
            raise PlanError(self._no_reference())

    def __len__(self) -> int:
        return len(self._identities)

    def __iter__(self) -> Iterator[Run]:
        seeds = self.plan.seeds
        for number, run_identity in enumerate(self._identities):
            point, seed = divmod(number, len(seeds))
            yield Run(point, self.points[point], seeds[seed], run_identity)

    def as_of_now(self, record: Record) -> Record:
        """A record of the journal with the names of today, where the simulator has renamed what it reports."""
        rename = getattr(self._simulator, "as_of_now", None)
        return record | {"summary": rename(record["summary"])} if rename and "summary" in record else record

    def job(self, run: Run, *, code_version: str) -> Job:
        """The run as it is sent to a worker."""
        resolved = {**self._resolve(run.point), "seed": run.seed}
        imports: Any = resolved.get("imports", ())
        return Job(
            key=run_key(run.identity, code_version),
            parameters=run.parameters,
            resolved=resolved,
            sources=tuple(source_of(each["sha256"]) for each in imports),
            series=self.plan.per_round,
            code_version=code_version,
            simulator=self._simulator,
        )

    def _refuse_twin(self, first: int, number: int) -> None:
        """The points of one sample may meet; those of lists are written, and the second would tell nothing new."""
        if first // self.plan.sampled == number // self.plan.sampled:
            return
        raise PlanError(
            f"sweep {self.plan.name}: points {first} ({_values(self.points[first])}) and {number} "
            f"({_values(self.points[number])}) are one scenario; list it once"
        )

    def _with_baseline(self, number: int) -> str | None:
        """The identity of a point with the baseline's values in place of its own, None if that is no scenario."""
        fields = self.plan.overrides(self.points[number], self.plan.baseline)
        try:
            return identity({**self._simulator.resolve(self.plan.scenario, fields), "seed": 0})
        except InputError:
            return None

    def _no_reference(self) -> str:
        lists = {**(self.plan.grid or {}), **(self.plan.zip or {})}
        listed = "; ".join(
            f"{field} is {', '.join(map(str, lists[field]))}" for field in self.plan.baseline if field in lists
        )
        return (
            f"sweep {self.plan.name}, baseline {_values(self.plan.baseline)}: no point of the plan has it; name values "
            f"that the plan lists{f' ({bare(listed)})' if listed else ''}"
        )

    def _resolve(self, number: int) -> dict[str, object]:
        point = self.points[number]
        try:
            return self._simulator.resolve(self.plan.scenario, self.plan.overrides(point))
        except InputError as error:
            place = f"sweep {self.plan.name}, point {number}" + (f" ({_values(point)})" if point else "")
            raise PlanError("\n".join(f"{place}: {line}" for line in str(error).splitlines())) from None


def _values(point: Mapping[str, Any]) -> str:
    return bare(", ".join(f"{field}={value}" for field, value in point.items()))
