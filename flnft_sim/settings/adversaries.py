"""Who takes part and does not do what it says."""

from dataclasses import dataclass
from typing import Annotated

from flnft_sim.knobs import Knob, Settings


@dataclass(frozen=True, kw_only=True)
class AdversarySettings(Settings):
    """How many users of each kind there are among all users; who they are is drawn."""

    free_riders: Annotated[
        int,
        Knob(
            "users who train nothing and send the model back with noise of the length of its last step",
            unit="count",
            ge=0,
            le=10_000_000,
        ),
    ] = 0
    lazy: Annotated[int, Knob("users who train one epoch instead of k", unit="count", ge=0, le=10_000_000)] = 0
    label_flippers: Annotated[
        int, Knob("users who train on false labels, l as L − 1 − l", unit="count", ge=0, le=10_000_000)
    ] = 0
    label_flip_share: Annotated[float, Knob("share of their samples whose label is false", gt=0, le=1)] = 1.0
    poisoners: Annotated[
        int, Knob("users who train and send their update times poison_scale", unit="count", ge=0, le=10_000_000)
    ] = 0
    poison_scale: Annotated[float, Knob("below 0 it turns the update around", ge=-1000, le=1000)] = -1.0
    sybils: Annotated[
        int,
        Knob(
            "names, 2 or more, under which one user takes part: each has a part of its data, and all share its device",
            unit="count",
            ge=0,
            le=10_000,
        ),
    ] = 0
    liars: Annotated[
        int, Knob("users who report lie_factor times their loss", unit="count", paper="Eq. 10", ge=0, le=10_000_000)
    ] = 0
    lie_factor: Annotated[float, Knob("what a liar's loss is multiplied by", ge=0, le=1)] = 0.1
