"""What a bid left on the table: the money that another sealed bid would have kept, all other reports as they were."""

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats, Ints
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
    worth, most = np.asarray(values, dtype=np.float64), np.asarray(limits, dtype=np.float64)
    if not offers.size:
        return np.zeros(money.size)
    drawn = Lots.drawn(seed, money.size, offers.size) if lots is None else lots
    steps = np.concatenate([offers, [reserve] if np.isfinite(reserve) else []])
    bidding = money > 0
    forgone = np.zeros(money.size)
    # Who bids stands in the market with all who do; who does not, with them and itself.
    for group in filter(len, (np.flatnonzero(bidding), *np.flatnonzero(~bidding)[:, None])):
        places = np.union1d(np.flatnonzero(bidding), group)
        tried = [_tried(bidder, money, places, steps, worth[bidder], most[bidder]) for bidder in group]
        who = np.repeat(group, [each.size for each in tried])
        bid, own = np.concatenate(tried), places == who[:, None]
        cleared = clear_stack(
            rule,
            np.where(own, bid[:, None], money[places]),
            np.broadcast_to(offers, (bid.size, offers.size)),
            np.full(bid.size, reserve),
            lots=drawn.of_bids(places),
            settings=settings,
        )
        kept = worth[who] * cleared.wins[own] - cleared.payments[own]
        for bidder in group:
            mine, at = kept[who == bidder], bid[who == bidder]
            had = float(mine[at == money[bidder]][0]) if money[bidder] > 0 else 0.0
            forgone[bidder] = max(0.0, mine.max(initial=0.0) - had)
    return forgone


def _tried(bidder: int, money: Floats, places: Ints, steps: Floats, worth: float, most: float) -> Floats:
    """The bids that might change what the bidder gets, ascending, and its own."""
    marks = np.concatenate([money[places[places != bidder]], steps])
    tried = np.concatenate([marks, marks + SMALLEST, [worth, most, money[bidder]]])
    return np.unique(tried[(tried > 0) & (tried <= max(most, money[bidder]))])
