"""The small formulas around a clearing: the ask of one licence, the learned reserve, and rebidding."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats
from flnft_sim.errors import InputError


def ask_per_licence(total_ask: float, matched_buyers: int, ask_fraction: float = 1.0) -> float:
    """`ask_fraction` × total ask / number of matched providers with a positive bid, in money.

    The total ask is the sum of what all providers offered (Eq. 34), so compared with single bids it could never
    clear. With no positive bid at all the whole ask is due from whoever comes.
    """
    if not (np.isfinite(total_ask) and total_ask >= 0 and ask_fraction >= 0):
        raise InputError(f"a total ask of {total_ask} times {ask_fraction}; give finite numbers of 0 or more")
    return ask_fraction * total_ask / max(matched_buyers, 1)


def learned_reserve(past_lowest_asks: Iterable[float], prior: float) -> float:
    """The 75th percentile of past auctions' lowest asks s_1 on the ledger, or `prior` where there are none.

    Asks and not bids: at the equilibrium many bids are zero, and their median would never let a market trade.
    """
    past = sorted(map(float, past_lowest_asks))
    return upper_quartile(past) if past else prior


def upper_quartile(past: Sequence[float]) -> float:
    """The 75th percentile of numbers in ascending order, one at least."""
    place = 0.75 * (len(past) - 1)
    below = int(place)
    low, high, part = past[below], past[min(below + 1, len(past) - 1)], place - below
    # Linear between two asks, from the nearer one: to the last bit what `np.percentile` says, at a tenth of its time.
    return high - (high - low) * (1.0 - part) if part >= 0.5 else low + (high - low) * part


def price_setter(payments: ArrayLike, bids: ArrayLike, asks: ArrayLike, reserve: float) -> str:
    """Which report the winners' payments are, in words; "" where nobody won.

    `payments` (n,) are the winners', `bids` and `asks` all that was reported. Found by comparing amounts, so it holds
    for any rule; of equal amounts the first in this order is named. A price that is nobody's report lies between them.
    """
    paid, reported, lowest = (sorted(np.asarray(each, np.float64).tolist()) for each in (payments, bids, asks))
    if not paid:
        return ""
    if paid[0] < paid[-1]:
        return "each winner's own bid" if set(paid) <= set(reported) else "each winner's own terms"
    winners, price = len(paid), paid[0]
    high = reported[::-1]
    reports = (
        ("the reserve", [reserve]),
        ("the second-lowest ask", lowest[1:2]),
        ("the lowest ask", lowest[:1]),
        ("the highest ask", lowest[-1:]),
        ("the highest losing bid", high[winners : winners + 1]),
        ("the lowest winning bid" if winners > 1 else "the winner's own bid", high[winners - 1 : winners]),
    )
    return next((name for name, report in reports if price in report), "a price between the reports")


def share_setter(payments: ArrayLike, asks: ArrayLike, reserve: float) -> str:
    """Which total the winners share, in words; "" where nobody won.

    `payments` (n,) are the winners', `asks` (m,) and `reserve` totals. Found by comparing amounts; where the payments
    come to none of them, a rule that looks at bids or at a law of values has set them.
    """
    payments, lowest = np.asarray(payments, np.float64), np.sort(np.asarray(asks, np.float64))
    if not payments.size:
        return ""
    for name, total in (("the reserve", np.array([reserve])), ("the second-lowest ask", lowest[1:2])):
        if np.isclose(total, payments.sum(), rtol=1e-9, atol=0.0).any():
            return f"{name}, shared equally" if payments.size > 1 else name
    return "prices that no ask sets"


@dataclass(frozen=True)
class Rebid:
    """The reports after one step toward each other."""

    bids: Floats
    asks: Floats


def rebid_step(
    bids: ArrayLike,
    asks: ArrayLike,
    *,
    step: float = 0.05,
    bid_limits: ArrayLike = np.inf,
    ask_floors: ArrayLike = 0.0,
) -> Rebid:
    """Raise every bid and lower every ask by the share `step`; no bid passes its limit, no ask its floor.

    A report that is beyond its limit already stays where it is.
    """
    if not 0 < step < 1:
        raise InputError(f"the rebid step is {step}; give a share between 0 and 1")
    bids, asks = np.asarray(bids, np.float64), np.asarray(asks, np.float64)
    return Rebid(
        bids=np.maximum(bids, np.minimum(bids * (1 + step), bid_limits)),
        asks=np.minimum(asks, np.maximum(asks * (1 - step), ask_floors)),
    )
