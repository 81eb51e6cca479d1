"""A sweep's plan: which scenario, which points, which seeds; read from YAML and checked strictly."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from flnft_sim.errors import InputError, bare, did_you_mean, shown
from flnft_sim.files import is_file
from flnft_sim.scenario.explain import complaint, listed
from flnft_sim.scenario.loading import flat, leaves
from flnft_sim.scenario.reading import NamedFiles, name_of, scenario_folders
from flnft_sim.scenario.schema import EXACT
from flnft_sim.scenario.strict import Name, Strict
from flnft_sim.sweeps.designs import DESIGNS, Range

Point = dict[str, Any]  # dotted scenario field -> value

RESERVED = ("point", "seed", "status", "error")  # columns of runs.csv beside parameters and metrics
MOST_POINTS, MOST_RUNS = 100_000, 1_000_000  # of one plan; each point is resolved before the first run


class PlanError(InputError):
    """A sweep that cannot be planned; one line a fault."""


class Sample(Strict, frozen=True):
    """Points drawn by a sampling method from ranges of fields."""

    method: str
    n: Annotated[int, Field(ge=1, le=MOST_POINTS)]
    ranges: Annotated[dict[str, Range], Field(min_length=1, max_length=1000)]
    seed: Annotated[int, Field(ge=0, le=2**32 - 2)] = 0  # what SALib and SciPy take

    @field_validator("method")
    @classmethod
    def _known(cls, method: str) -> str:
        if method not in DESIGNS:
            raise ValueError(str(DESIGNS.unknown(method)))
        return method

    @property
    def size(self) -> int:
        """About how many points it has: SALib's designs have several a field."""
        return self.n * (len(self.ranges) + 2 if self.method in ("sobol", "morris") else 1)

    def points(self) -> list[Point]:
        """The design's points, in the units of the fields."""
        unit = DESIGNS.get(self.method)(len(self.ranges), self.n, self.seed)
        columns = {field: span.spread(unit[:, i]) for i, (field, span) in enumerate(self.ranges.items())}
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


class SweepPlan(Strict, frozen=True):
    """What a sweep runs: the product of a grid, zipped lists and samples, each point once per seed.

    Every point uses the same seeds (common random numbers), so that two points can be compared seed by seed.
    """

    name: Name = "sweep"
    description: str = ""
    scenario: str
    set: dict[str, Any] = Field(default_factory=dict)
    grid: dict[str, list[Any]] | None = None
    zip: dict[str, list[Any]] | None = None
    sample: Sample | None = None
    seeds: tuple[Annotated[int, Field(ge=0, le=EXACT)], ...] = (0,)
    metrics: tuple[str, ...] = ()
    per_round: tuple[str, ...] = ()
    baseline: dict[str, Any] = Field(default_factory=dict)

    @field_validator("seeds", mode="before")
    @classmethod
    def _count_or_list(cls, seeds: Any) -> Any:
        if not isinstance(seeds, int) or isinstance(seeds, bool):
            return seeds
        if seeds > MOST_RUNS:
            raise ValueError(f"should be at most {MOST_RUNS:,}, or a list of seeds")
        return tuple(range(seeds))

    @field_validator("seeds")
    @classmethod
    def _some_seeds(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if not seeds:
            raise ValueError("give at least one seed")
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed is listed twice; the second run would tell nothing new")
        return seeds

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for block, lists in (("grid", self.grid), ("zip", self.zip)):
            empty = [field for field, values in (lists or {}).items() if not values]
            if lists is not None and (not lists or empty):
                raise ValueError(f"{block}{'.' + empty[0] if empty else ''} is empty; list at least one value")
        lengths = {field: len(values) for field, values in (self.zip or {}).items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"zip needs lists of one length, these have {lengths}")
        written = self._written()
        twice = [field for field, times in Counter(written).items() if times > 1]
        if twice:
            raise ValueError(f"{bare(twice[0])} is given twice (set, grid, zip and sample must not share a field)")
        for what, names in (("metrics", self.metrics), ("per_round", self.per_round)):
            if repeated := [name for name, times in Counter(names).items() if times > 1]:
                raise ValueError(f"{what} lists {shown(repeated[0])} twice; a table has it once")
        if "seed" in written:
            raise ValueError("seed is no parameter here; list seeds under `seeds:`")
        strange = [field for field in self.baseline if field not in self.parameters]
        if strange:
            hint = did_you_mean(strange[0], self.parameters)
            raise ValueError(f"baseline field {shown(strange[0])} is not varied by this sweep{hint}")
        self._is_finite()
        return self

    def _written(self) -> list[str]:
        """The fields that each block sets, those inside a section's worth of them one by one."""
        lists = [*(self.grid or {}).items(), *(self.zip or {}).items()]
        varied = [{leaf for value in values for leaf in leaves({field: value})} for field, values in lists]
        return [*leaves(self.set), *(leaf for fields in varied for leaf in sorted(fields)), *self._sampled]

    @property
    def _sampled(self) -> tuple[str, ...]:
        return tuple(self.sample.ranges) if self.sample else ()

    def _is_finite(self) -> None:
        """Refuse what nobody could run, before it is counted out."""
        points = math.prod(len(values) for values in (self.grid or {}).values())
        points *= len(next(iter(self.zip.values()))) if self.zip else 1
        points *= self.sample.size if self.sample else 1
        if points > MOST_POINTS or points * len(self.seeds) > MOST_RUNS:
            count = f"{points:,}" if points < 10**18 else "more than 10^18"
            raise ValueError(
                f"{count} points × {len(self.seeds):,} seeds are too many; a sweep has at most {MOST_POINTS:,} points "
                f"and {MOST_RUNS:,} runs"
            )

    @property
    def parameters(self) -> tuple[str, ...]:
        """The fields that vary, in the order of the columns of runs.csv."""
        return (*(self.grid or ()), *(self.zip or ()), *self._sampled)

    @property
    def sampled(self) -> int:
        """How many points each point of the lists is drawn into: the sample's."""
        return len(self.sample.points()) if self.sample else 1

    @property
    def runs(self) -> int:
        """How many runs it has: every point once per seed."""
        return len(self.points()) * len(self.seeds)

    def overrides(self, point: Point, baseline: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The scenario's fields at a point, sections merged; with the baseline's values in place of the point's own."""
        return flat(self.set) | flat(point) | flat(baseline or {})

    def points(self) -> list[Point]:
        """All points in plan order: the grid varies slowest, samples fastest."""
        blocks = [list(self._grid_points()), list(self._zip_points())]
        blocks.append(self.sample.points() if self.sample else [{}])
        return [
            {field: value for part in parts for field, value in part.items()} for parts in itertools.product(*blocks)
        ]

    def _grid_points(self) -> Iterator[Point]:
        grid = self.grid or {}
        for values in itertools.product(*grid.values()):
            yield dict(zip(grid, values, strict=True))

    def _zip_points(self) -> Iterator[Point]:
        if self.zip is None:
            yield {}
            return
        for values in zip(*self.zip.values(), strict=True):
            yield dict(zip(self.zip, values, strict=True))


def sweep_folders() -> list[Path]:
    """Where shipped sweeps are looked up: `sweeps/` inside every scenario folder."""
    return [folder / "sweeps" for folder in scenario_folders() if (folder / "sweeps").is_dir()]


SWEEPS = NamedFiles(kind="sweep", folders=sweep_folders, endings=(".yaml", ".yml"), error=PlanError)


def sweep_names() -> list[str]:
    """Names of all sweeps that can be loaded by name, sorted."""
    return SWEEPS.names()


def load_plan(plan: "SweepPlan | Mapping[str, Any] | str | Path") -> SweepPlan:
    """A plan from itself, a mapping, a file, or the name of a shipped sweep; raises `PlanError`."""
    if isinstance(plan, SweepPlan):
        return plan
    if isinstance(plan, Mapping):
        return _checked(plan, place="sweep")
    path = SWEEPS.find(plan)
    fields = SWEEPS.read(path)
    if not isinstance(fields, dict):
        raise PlanError(f"{path} must hold fields such as `scenario:`, `grid:` and `seeds:`")
    beside = path.parent / str(fields.get("scenario", ""))
    if beside.suffix in SWEEPS.endings and is_file(beside):
        fields["scenario"] = str(beside)
    return _checked({"name": name_of(path), **fields}, place=str(path))


def _checked(fields: Mapping[str, Any], *, place: str) -> SweepPlan:
    try:
        return SweepPlan.model_validate(dict(fields))
    except ValidationError as error:
        raise PlanError("\n".join(listed(error, lambda fault: f"{place}: {_sentence(fault)}"))) from None


def _sentence(fault: Any) -> str:
    dotted = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = Sample.model_fields if dotted.startswith("sample.") else SweepPlan.model_fields
        hint = did_you_mean(str(fault["loc"][-1]), known) or f"; known here: {', '.join(known)}"
        return f"unknown field {shown(dotted)}{hint}"
    message = complaint(fault)
    if isinstance(fault["input"], dict | BaseModel):
        return f"{bare(dotted) + ': ' if dotted else ''}{message}"
    return f"{bare(dotted)} = {shown(fault['input'])}: {message}"
