"""Reputation: what users have contributed so far, smoothed over rounds, by which their pay is scaled."""

from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats
from flnft_sim.checks import finite, not_negative, within


def reputation_after(reputation: ArrayLike, contributed: ArrayLike, *, smoothing: float) -> Floats:
    """ρ ← λ·ρ + (1 − λ)·n·c⁺/Σc⁺, arrays (n,) over the users of a round, c⁺ = max(0, c).

    Who contributes as much as the mean has 1, who does nothing or harm goes to 0 as λ^rounds. A round in which nobody
    contributed anything leaves all as they are.
    """
    factor = within("smoothing", smoothing, at_least=0.0, at_most=1.0)
    before, useful = not_negative("reputation", reputation), finite("contributed", contributed).clip(min=0.0)
    total = useful.sum()
    return before if total == 0 else factor * before + (1 - factor) * len(useful) * useful / total
