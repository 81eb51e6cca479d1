"""How beliefs about rivals' bids are learned, and the hidden demand that there is to learn."""

from dataclasses import dataclass
from typing import Annotated

from flnft_sim.knobs import Knob, Settings


@dataclass(frozen=True, kw_only=True)
class BeliefSettings(Settings):
    """The knobs of all kinds of beliefs; a kind reads those it knows."""

    states: Annotated[int, Knob("hidden states of the HMM", unit="count", ge=1, le=50)] = 4
    levels: Annotated[int, Knob("bid levels (quantile bins)", unit="count", ge=2, le=100)] = 6
    refit_every: Annotated[int, Knob("auctions between refits", unit="auctions", ge=1, le=1_000_000)] = 10
    min_history: Annotated[
        int, Knob("observations before anything but the last bid is predicted", unit="auctions", ge=2, le=1_000_000)
    ] = 8
    ewma_weight: Annotated[float, Knob("weight of the newest bid in EWMA", gt=0, le=1)] = 0.2
    blend_weight: Annotated[float, Knob("weight of the HMM in `blend`; the rest is EWMA", ge=0, le=1)] = 0.25


@dataclass(frozen=True, kw_only=True)
class DemandSettings(Settings):
    """The hidden demand regime that moves each provider's valuation from auction to auction."""

    factors: Annotated[
        tuple[float, ...], Knob("valuation in each regime as a multiple of V", ge=1e-6, le=1e6, items=(1, 100))
    ] = (0.6, 1.0, 1.5)
    stay: Annotated[float, Knob("chance that a regime lasts another auction", ge=0, le=1)] = 0.9
    cyclic: Annotated[bool, Knob("regimes follow one another in order instead of at random")] = False
    noise: Annotated[float, Knob("standard deviation of log-normal noise on valuations", ge=0, le=2)] = 0.08
