"""Measures of what users contribute: one interface, one file a measure, all chosen by name."""

from flnft_sim.game.contribution.base import (
    CONTRIBUTIONS,
    Arrivals,
    Measure,
    Measured,
    MeasureFacts,
    Worth,
    facts_of,
    measure,
)

__all__ = ["CONTRIBUTIONS", "Arrivals", "Measure", "MeasureFacts", "Measured", "Worth", "facts_of", "measure"]
