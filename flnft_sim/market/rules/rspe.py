"""Random-sampling profit extraction: each half of the bidders raises what the other half could pay."""

import numpy as np

from flnft_sim.market.rules.base import RULES, NoTrade, OrderBook, Outcome, RuleFacts, one_dao_serves
from flnft_sim.market.rules.cost_sharing import share, sharers
from flnft_sim.market.rules.halves import best_single_price, why_nobody


def _why_nobody(book: OrderBook) -> NoTrade:
    return why_nobody(book, NoTrade.TARGET_TOO_HIGH)


@RULES.register("rspe", facts=RuleFacts(asks="total", why_nobody=_why_nobody))
def rspe(book: OrderBook) -> Outcome:
    """Each half is asked to raise the other half's best single-price revenue, in equal shares as `cost-sharing` does.

    At most one half fails to. The cheapest DAO gets all that is paid, be it less than it asks. For a model whose
    quality does not depend on the money taken. The reserve plays no part, nor do asks beyond choosing the DAO.
    """
    wins, payments = np.zeros(book.bids.shape, np.bool_), np.zeros(book.bids.shape)
    for half in (book.side, ~book.side):
        _, target = best_single_price(book.bids, ~half)
        sharing = sharers(book.bids, target, half)
        wins |= sharing
        payments += np.where(sharing, share(target, sharing)[..., None], 0.0)
    return one_dao_serves(book, wins, payments)
