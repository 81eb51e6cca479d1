"""Equal shares of a total, as Moulin and Shenker share the cost of what all can use (Economic Theory 18(3), 2001)."""

import numpy as np

from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.market.rules.base import RULES, NoTrade, OrderBook, Outcome, RuleFacts, one_dao_serves

_ROUNDING = 1e-12
"""A bid this close below a share is the share: 3 × 0.7 is not 2.1 in binary, and who bids 0.7 for a third pays it."""


def sharers(bids: Floats, target: Floats, bidding: Bools) -> Bools:
    """(…, n) who shares `target` (…) equally: the most of `bidding` (…, n) that each bid their share or more.

    `bids` (…, n) descend. With k sharers the share is target/k; nobody shares a target that is not finite.
    """
    rank: Ints = np.cumsum(bidding, axis=-1)  # of each bidder among those who take part, from 1
    covers = bidding & (bids * rank >= (target * (1 - _ROUNDING))[..., None])
    return bidding & (rank <= np.where(covers, rank, 0).max(axis=-1, keepdims=True))


def share(target: Floats, sharing: Bools) -> Floats:
    """(…) what each of those sharing pays; 0 where nobody does."""
    count = np.count_nonzero(sharing, axis=-1)
    return np.divide(target, count, out=np.zeros(np.shape(target)), where=count > 0)


def target_of(book: OrderBook) -> Floats:
    """(…) the total to be covered, min(T_2, reserve); inf where there is neither, or where T_1 exceeds it."""
    target = np.minimum(book.ask(2), book.reserve)
    return np.where(book.ask(1) <= target, target, np.inf)


def why_nobody(book: OrderBook) -> NoTrade:
    """Say why a market with bids and asks has no winner."""
    if book.asks.size == 1 and np.isinf(book.reserve):
        return NoTrade.NO_TARGET
    if book.asks[0] > book.reserve:
        return NoTrade.ASKS_ABOVE_RESERVE
    return NoTrade.TARGET_TOO_HIGH


@RULES.register("cost-sharing", facts=RuleFacts(asks="total", why_nobody=why_nobody))
def cost_sharing(book: OrderBook) -> Outcome:
    """The most bidders who each bid C/k or more share the target C = min(T_2, reserve); the cheapest DAO gets C.

    C moves with no bid and not with the winner's ask, and a share only falls as more take part: truthful for every
    bidder, for groups of distinct ones, and for DAOs in one clearing; nobody loses; balanced. No trade where T_1 > C,
    where a single DAO has no reserve, or where no group covers C.
    """
    target = target_of(book)
    sharing = sharers(book.bids, target, np.ones(book.bids.shape, np.bool_))
    return one_dao_serves(book, sharing, share(target, sharing)[..., None])
