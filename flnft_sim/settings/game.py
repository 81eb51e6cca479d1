"""What users make of a reward, and how what they contribute is sampled."""

from dataclasses import dataclass
from typing import Annotated

from flnft_sim.knobs import Knob, Settings


@dataclass(frozen=True, kw_only=True)
class FairSettings(Settings):
    """The paper's utility."""

    sigma: Annotated[
        float, Knob("σ in h(x) = x^(1−σ)/(1−σ), the fairness of a user's benefit", paper="Eq. 14", gt=0, lt=1)
    ] = 0.5


@dataclass(frozen=True, kw_only=True)
class ShapleySettings(Settings):
    """When the measure `shapley` stops."""

    shapley_error: Annotated[
        float, Knob("`shapley`: standard error at which sampling stops, in shares of the largest value", ge=0, le=1)
    ] = 0.05
    shapley_orders: Annotated[
        int, Knob("`shapley`: at most about so many orders of users a round", unit="count", ge=1, le=1_000_000)
    ] = 1000
    shapley_truncation: Annotated[
        float,
        Knob(
            "`shapley`: what less than this is worth is nobody's: of a round, of the rest of an order",
            unit="nat",
            ge=0,
            le=1,
        ),
    ] = 1e-3
