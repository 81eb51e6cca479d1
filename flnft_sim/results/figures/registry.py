"""Pictures by name."""

from collections.abc import Callable

from matplotlib.figure import Figure

from flnft_sim import families
from flnft_sim.registry import Registry
from flnft_sim.results.run_result import RunResult

#: A picture of a run, or None where the run holds nothing to show in it.
type Picture = Callable[[RunResult], Figure | None]

FIGURES: Registry[Picture] = families.FIGURES
