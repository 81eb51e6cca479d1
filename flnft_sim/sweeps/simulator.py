"""What a sweep runs at each point: flnft_sim's own simulation, or anything with the same two methods."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from flnft_sim.machine import one_thread

if TYPE_CHECKING:
    import pandas as pd


class RunOutput(Protocol):
    """What a sweep reads from a finished run: a flat summary, and a row per round."""

    @property
    def summary(self) -> Mapping[str, Any]: ...

    @property
    def rounds(self) -> "pd.DataFrame": ...


class Simulator(Protocol):
    """Resolves a point to plain data here, and runs it wherever the data is sent; must be picklable."""

    def resolve(self, scenario: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """The whole scenario as JSON-ready fields, `seed` among them; raises `InputError` for a bad field."""
        ...

    def run(self, resolved: Mapping[str, Any]) -> RunOutput:
        """Run it; any exception makes a failed row, not a failed sweep."""
        ...


@dataclass(frozen=True)
class FlnftSimulator:
    """The simulation of this package, on one thread: results must not depend on how many cores a worker has.

    It is imported where it is used: PyTorch takes seconds, and a coordinator of other simulators need not wait for it.
    `imports` are files of parts of one's own, beside those that the scenario names.
    """

    imports: tuple[str | Path, ...] = ()

    def as_of_now(self, summary: Mapping[str, Any]) -> dict[str, Any]:
        """A summary that an earlier version reported, with today's names."""
        from flnft_sim.results.tables import as_of_now

        return as_of_now("summary", summary)

    def resolve(self, scenario: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Load the scenario with overrides, defaults filled in."""
        from flnft_sim.scenario import load_scenario

        return load_scenario(scenario, overrides=overrides, imports=self.imports).model_dump(mode="json")

    def run(self, resolved: Mapping[str, Any]) -> RunOutput:
        """Run a resolved scenario with its seed."""
        from flnft_sim.scenario import Scenario
        from flnft_sim.simulation import run

        with one_thread("torch", "numba"):
            return run(Scenario.model_validate(resolved))
