"""Random-sampling optimal price: each half of the bidders pays the other half's best price."""

import numpy as np

from flnft_sim.market.rules.base import RULES, NoTrade, OrderBook, Outcome, RuleFacts, one_dao_serves
from flnft_sim.market.rules.halves import best_single_price, why_nobody


def _why_nobody(book: OrderBook) -> NoTrade:
    return why_nobody(book, NoTrade.PRICE_TOO_HIGH)


@RULES.register("rsop", facts=RuleFacts(asks="total", why_nobody=_why_nobody))
def rsop(book: OrderBook) -> Outcome:
    """Each half's revenue-maximising single price is offered to the other half; who bids it or more pays it.

    The cheapest DAO gets all that is paid, be it less than it asks: calling a trade off below the ask would let bids
    decide whether there is one, and break truth. For a model whose quality does not depend on the money taken. The
    reserve plays no part, nor do asks beyond choosing the DAO.
    """
    price_of_true, _ = best_single_price(book.bids, book.side)
    price_of_false, _ = best_single_price(book.bids, ~book.side)
    price = np.where(book.side, price_of_false[..., None], price_of_true[..., None])
    return one_dao_serves(book, book.bids >= price, price)
