"""What users make of a reward."""

from dataclasses import dataclass
from typing import Annotated

from flnft_sim.knobs import Knob, Settings


@dataclass(frozen=True, kw_only=True)
class FairSettings(Settings):
    """The paper's utility."""

    sigma: Annotated[
        float, Knob("σ in h(x) = x^(1−σ)/(1−σ), the fairness of a user's benefit", paper="Eq. 14", gt=0, lt=1)
    ] = 0.5
