"""The simulation: the story of a run, how its world is built, and what is gathered at its end."""

from flnft_sim.simulation.story import (
    FlnftModel,
    Interrupted,
    TimelineStuck,
    TimelineTooLong,
    run,
)

__all__ = ["FlnftModel", "Interrupted", "TimelineStuck", "TimelineTooLong", "run"]
