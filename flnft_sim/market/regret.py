"""What a bid left on the table: the money that another sealed bid would have kept, all other reports as they were."""

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats
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
    values: ArrayLike,
    limits: ArrayLike,
) -> Floats:
    """For each bidder (n,) the most that V·won − payment could have been with another bid, less what it was; ≥ 0.

    `bids` of 0 are not in the market; equal ones are ordered by `lots` or a draw from `seed`, as in the clearing. Tried
    are bids just at and above every other report and the reserve, one's value and one's limit: between two of them no
    rule here changes who wins what. A loser whose value lies above what it would have paid has bid too little; a winner
    that could have paid less has bid too much.
    """
    money, offers = np.asarray(bids, dtype=np.float64), np.asarray(asks, dtype=np.float64)
    worth, most = np.asarray(values, dtype=np.float64), np.asarray(limits, dtype=np.float64)
    if not offers.size:
        return np.zeros(money.size)
    drawn = Lots.drawn(seed, money.size, offers.size) if lots is None else lots
    forgone = np.zeros(money.size)
    steps = np.concatenate([offers, [reserve] if np.isfinite(reserve) else []])
    for bidder in range(money.size):
        places = np.flatnonzero((money > 0) | (np.arange(money.size) == bidder))
        own = places == bidder
        marks = np.concatenate([money[places[~own]], steps])
        tried = np.concatenate([marks, marks + SMALLEST, [worth[bidder], most[bidder], money[bidder]]])
        tried = np.unique(tried[(tried > 0) & (tried <= max(most[bidder], money[bidder]))])
        stack = np.where(own, tried[:, None], money[places])
        cleared = clear_stack(
            rule,
            stack,
            np.broadcast_to(offers, (tried.size, offers.size)),
            np.full(tried.size, reserve),
            lots=drawn.of_bids(places),
        )
        kept = (worth[bidder] * cleared.wins - cleared.payments)[:, own][:, 0]
        had = float(kept[tried == money[bidder]][0]) if money[bidder] > 0 else 0.0
        forgone[bidder] = max(0.0, kept.max(initial=0.0) - had)
    return forgone
