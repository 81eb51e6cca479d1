"""Aggregators: one file each; `aggregate` finds them by name."""

from flnft_sim.learning.aggregation import (  # noqa: F401 - importing registers them
    fedadp,
    fedavg,
    fedsgd,
    fedsim,
    krum,
    median,
    trimmed_mean,
)
from flnft_sim.learning.aggregation.base import (
    AGGREGATORS,
    AggregationError,
    Aggregator,
    AggregatorFacts,
    RunningMean,
    State,
    aggregate,
    weighted_mean,
)

__all__ = [
    "AGGREGATORS",
    "AggregationError",
    "Aggregator",
    "AggregatorFacts",
    "RunningMean",
    "State",
    "aggregate",
    "weighted_mean",
]
