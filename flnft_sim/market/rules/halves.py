"""Two halves of the bidders, drawn by lot: what each shows of the values prices the other.

Goldberg, Hartline, Karlin, Saks, Wright: Competitive auctions (Games and Economic Behavior 55(2), 2006).
"""

import numpy as np

from flnft_sim.arrays import Bools, Floats
from flnft_sim.market.rules.base import NoTrade, OrderBook

_ROUNDING = 1e-12
"""Revenues this close are equal: 3 × 0.1 exceeds 0.3 in binary only."""


def best_single_price(bids: Floats, half: Bools) -> tuple[Floats, Floats]:
    """(…) the price that takes most from one half, and what it takes; the higher price among equals.

    `bids` (…, n) descend, `half` (…, n) says who belongs to it. (inf, inf) for an empty half: it offers nothing.
    """
    revenues = np.where(half, bids * np.cumsum(half, axis=-1), -1.0)
    most = revenues.max(axis=-1, keepdims=True)
    first = (half & (revenues >= most * (1 - _ROUNDING))).argmax(axis=-1)[..., None]
    price = np.take_along_axis(bids, first, axis=-1)[..., 0]
    empty = ~half.any(axis=-1)
    return np.where(empty, np.inf, price), np.where(empty, np.inf, most[..., 0])


def why_nobody(book: OrderBook, otherwise: NoTrade) -> NoTrade:
    """Say why a market with bids and asks has no winner: an empty half, or `otherwise`."""
    return NoTrade.EMPTY_HALF if book.side.all() or not book.side.any() else otherwise
