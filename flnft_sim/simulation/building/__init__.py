"""Build the cast of a scenario, one file a part: mechanisms from their settings, agents from their numbers."""

from flnft_sim.simulation.building.build import build_cast

__all__ = ["build_cast"]
