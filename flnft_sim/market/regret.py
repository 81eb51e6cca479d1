"""What a bid left on the table: the money that another sealed bid would have kept, all other reports as they were."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats
from flnft_sim.knobs import Settings
from flnft_sim.market.clearing import clear_stack
from flnft_sim.market.lots import Lots

SMALLEST = 1e-6  # a unit of money: how far above another report a bid is tried


def forgone_money(
    rule: str,
    bids: ArrayLike,
    asks: ArrayLike,
    *,
    reserve: float,
    seed: int = 0,
    lots: Lots | None = None,
    settings: Settings | None = None,
    values: ArrayLike,
    limits: ArrayLike,
) -> Floats:
    """For each bidder (n,) the most that V·won − payment could have been with another bid, less what it was; ≥ 0.

    `bids` of 0 are not in the market; equal ones are ordered by `lots` or a draw from `seed`, as in the clearing, and
    the rule is told the same `settings`. Tried
    are bids just at and above every other report and the reserve, one's value and one's limit: between two of them no
    rule here changes who wins what. A loser whose value lies above what it would have paid has bid too little; a winner
    that could have paid less has bid too much.
    """
    money, offers = np.asarray(bids, dtype=np.float64), np.asarray(asks, dtype=np.float64)
    if not offers.size:
        return np.zeros(money.size)
    drawn = Lots.drawn(seed, money.size, offers.size) if lots is None else lots
    steps = [*offers.tolist(), *([float(reserve)] if np.isfinite(reserve) else [])]
    worths, mosts, reports = (np.asarray(each, np.float64).tolist() for each in (values, limits, money))
    bidding = [place for place, bid in enumerate(reports) if bid > 0]
    forgone = np.zeros(money.size)
    # Who bids stands in the market with all who do; who does not, with them and itself.
    for group in filter(len, (bidding, *([place] for place, bid in enumerate(reports) if not bid > 0))):
        places = bidding if group is bidding else sorted(bidding + group)
        tried = [_tried(bidder, reports, places, steps, worths[bidder], mosts[bidder]) for bidder in group]
        bid = np.array([each for bids in tried for each in bids])
        own = np.equal.outer([bidder for bidder, bids in zip(group, tried, strict=True) for _ in bids], places)
        cleared = clear_stack(
            rule,
            np.where(own, bid[:, None], money[places]),
            np.broadcast_to(offers, (bid.size, offers.size)),
            np.full(bid.size, reserve),
            lots=drawn.of_bids(np.array(places)),
            settings=settings,
        )
        outcomes = zip(cleared.wins[own].tolist(), cleared.payments[own].tolist(), strict=True)  # bidder by bidder
        for bidder, bids_of in zip(group, tried, strict=True):
            kept = {bid: worths[bidder] * won - paid for bid, (won, paid) in zip(bids_of, outcomes, strict=False)}
            forgone[bidder] = max(0.0, max(0.0, *kept.values()) - kept.get(reports[bidder], 0.0))
    return forgone


def _tried(
    bidder: int, reports: Sequence[float], places: Sequence[int], steps: Sequence[float], worth: float, most: float
) -> list[float]:
    """The bids that might change what the bidder gets, ascending, and its own."""
    marks = [*(reports[place] for place in places if place != bidder), *steps]
    tried = {*marks, *(mark + SMALLEST for mark in marks), worth, most, reports[bidder]}
    highest = max(most, reports[bidder])
    return sorted(bid for bid in tried if 0 < bid <= highest)
