"""What clearing rules can be told."""

from dataclasses import dataclass
from typing import Annotated, Literal

from flnft_sim.knobs import Knob, Settings


@dataclass(frozen=True, kw_only=True)
class ValuesSettings(Settings):
    """The law F of values that `myerson` posts its price for."""

    value_law: Annotated[
        Literal["uniform", "exponential", "learned"],
        Knob("`myerson` posts argmax p(1 − F(p)) for this F; learned: that of past bids, uniform while there are none"),
    ] = "learned"
    value_range_money: Annotated[
        tuple[float, float],
        Knob("`myerson`, uniform: the least and the highest value", unit="money", ge=0, le=1e9, rising=True),
    ] = (0.0, 100.0)
    value_mean_money: Annotated[float, Knob("`myerson`, exponential: the mean value", unit="money", ge=0, le=1e9)] = (
        50.0
    )
