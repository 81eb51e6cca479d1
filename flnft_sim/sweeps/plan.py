"""A sweep's plan: which scenario, which points, which seeds; read from YAML and checked strictly."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from flnft_sim.errors import InputError, UnknownNameError, did_you_mean
from flnft_sim.sweeps.designs import DESIGNS, Range

Point = dict[str, Any]  # dotted scenario field -> value

RESERVED = ("point", "seed", "status", "error")  # columns of runs.csv beside parameters and metrics


class PlanError(InputError):
    """A sweep that cannot be planned; one line a fault."""


class Strict(BaseModel):
    """Frozen, and unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Sample(Strict):
    """Points drawn by a sampling method from ranges of fields."""

    method: str
    n: Annotated[int, Field(ge=1)]
    ranges: Annotated[dict[str, Range], Field(min_length=1)]
    seed: int = 0

    @field_validator("method")
    @classmethod
    def _known(cls, method: str) -> str:
        if method not in DESIGNS:
            raise ValueError(str(UnknownNameError(DESIGNS.family, method, DESIGNS.names())))
        return method

    def points(self) -> list[Point]:
        """The design's points, in the units of the fields."""
        unit = DESIGNS.get(self.method)(len(self.ranges), self.n, self.seed)
        columns = {field: span.spread(unit[:, i]) for i, (field, span) in enumerate(self.ranges.items())}
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


class SweepPlan(Strict):
    """What a sweep runs: the product of a grid, zipped lists and samples, each point once per seed.

    Every point uses the same seeds (common random numbers), so that two points can be compared seed by seed.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")] = "sweep"
    description: str = ""
    scenario: str
    set: dict[str, Any] = {}
    grid: dict[str, list[Any]] | None = None
    zip: dict[str, list[Any]] | None = None
    sample: Sample | None = None
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = (0,)
    metrics: tuple[str, ...] = ()
    per_round: tuple[str, ...] = ()
    baseline: dict[str, Any] = {}

    @field_validator("seeds", mode="before")
    @classmethod
    def _count_or_list(cls, seeds: Any) -> Any:
        return tuple(range(seeds)) if isinstance(seeds, int) and not isinstance(seeds, bool) else seeds

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
        written = [*self.set, *self.parameters]
        twice = [field for field in dict.fromkeys(written) if written.count(field) > 1]
        if twice:
            raise ValueError(f"{twice[0]} is given twice (set, grid, zip and sample must not share a field)")
        if "seed" in written:
            raise ValueError("seed is no parameter here; list seeds under `seeds:`")
        strange = [field for field in self.baseline if field not in self.parameters]
        if strange:
            hint = did_you_mean(strange[0], self.parameters)
            raise ValueError(f"baseline field {strange[0]!r} is not varied by this sweep{hint}")
        return self

    @property
    def parameters(self) -> tuple[str, ...]:
        """The fields that vary, in the order of the columns of runs.csv."""
        return (*(self.grid or ()), *(self.zip or ()), *(self.sample.ranges if self.sample else ()))

    @property
    def runs(self) -> int:
        """How many runs it has: every point once per seed."""
        return len(self.points()) * len(self.seeds)

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
    from flnft_sim.scenario.loading import scenario_folders  # imports PyTorch; a sweep from a file need not wait

    return [folder / "sweeps" for folder in scenario_folders() if (folder / "sweeps").is_dir()]


def sweep_names() -> list[str]:
    """Names of all sweeps that can be loaded by name, sorted."""
    return sorted({path.stem for folder in sweep_folders() for path in folder.glob("*.yaml")})


def load_plan(plan: "SweepPlan | Mapping[str, Any] | str | Path") -> SweepPlan:
    """A plan from itself, a mapping, a file, or the name of a shipped sweep; raises `PlanError`."""
    if isinstance(plan, SweepPlan):
        return plan
    if isinstance(plan, Mapping):
        return _checked(plan, place="sweep")
    path = _find(plan)
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise PlanError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path} cannot be read: {error}") from None
    if not isinstance(fields, dict):
        raise PlanError(f"{path} must hold fields such as `scenario:`, `grid:` and `seeds:`")
    beside = path.parent / str(fields.get("scenario", ""))
    if beside.suffix in {".yaml", ".yml"} and beside.is_file():
        fields["scenario"] = str(beside)
    return _checked({"name": path.stem, **fields}, place=str(path))


def _find(name: str | Path) -> Path:
    path = Path(name)
    if path.suffix in {".yaml", ".yml"}:
        if not path.is_file():
            raise PlanError(f"sweep file {path} does not exist; shipped sweeps: {', '.join(sweep_names())}")
        return path
    for folder in sweep_folders():
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    raise UnknownNameError("sweep", str(name), sweep_names())


def _checked(fields: Mapping[str, Any], *, place: str) -> SweepPlan:
    try:
        return SweepPlan.model_validate(dict(fields))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise PlanError("\n".join(f"{place}: {_sentence(fault)}" for fault in faults)) from None


def _sentence(fault: Any) -> str:
    dotted = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        known = Sample.model_fields if dotted.startswith("sample.") else SweepPlan.model_fields
        hint = did_you_mean(str(fault["loc"][-1]), known) or f"; known here: {', '.join(known)}"
        return f"unknown field {dotted!r}{hint}"
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if isinstance(fault["input"], dict | BaseModel):
        return f"{dotted + ': ' if dotted else ''}{message}"
    return f"{dotted} = {fault['input']!r}: {message}"
