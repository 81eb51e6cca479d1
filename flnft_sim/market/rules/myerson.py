"""One posted price, the best for a law of values known beforehand (R. B. Myerson, Math. Oper. Res. 6(1), 1981)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.market.rules.base import RULES, LearnsFromBids, NoTrade, OrderBook, Outcome, RuleFacts, one_dao_serves
from flnft_sim.market.rules.halves import best_single_price
from flnft_sim.settings.rules import ValuesSettings


@dataclass(frozen=True, kw_only=True)
class MyersonOptions(ValuesSettings, LearnsFromBids):
    """The law of values, and what there is to learn it from."""


def posted_price(settings: MyersonOptions) -> float:
    """The price p, money, that maximises p(1 − F(p)) for the law of values F that is stated or learned."""
    if settings.value_law == "exponential":
        return settings.value_mean_money
    if settings.value_law == "learned" and settings.past_bids:
        return best_price_of(settings.past_bids)
    least, highest = settings.value_range_money
    return max(least, highest / 2)  # p(highest − p) has its peak at highest/2, and falls beyond it


def best_price_of(values: ArrayLike) -> float:
    """The price that would have taken most from these values, (n,) money, n ≥ 1; the higher among equals."""
    descending = -np.sort(-np.asarray(values, np.float64))
    price, _ = best_single_price(descending, np.ones(descending.shape, np.bool_))
    return float(price)


def _why_nobody(_book: OrderBook) -> NoTrade:
    return NoTrade.PRICE_TOO_HIGH


@RULES.register("myerson", settings=MyersonOptions, facts=RuleFacts(asks="total", why_nobody=_why_nobody))
def myerson(book: OrderBook, *, settings: MyersonOptions) -> Outcome:
    """Whoever bids the posted price or more pays it, and the cheapest DAO gets all, be it less than it asks.

    The price depends on no report. For a model whose quality does not depend on the money taken. The reserve plays no
    part, nor do asks beyond choosing the DAO.
    """
    price = posted_price(settings)
    return one_dao_serves(book, book.bids >= price, np.full(book.bids.shape, price))
