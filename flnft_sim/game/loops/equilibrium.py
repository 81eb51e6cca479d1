# mypy: disallow-untyped-defs=False
"""Providers' prices where valuations are known and no budget binds (`flnft_sim.game.equilibrium`)."""

from math import exp, log, sqrt

from flnft_sim.game.loops.kept import (
    BUDGET,
    KEPT,
    MONEY_F,
    MONEY_Q,
    PRICE_F,
    PRICE_Q,
    RIVALS_F,
    RIVALS_Q,
    WORTH_F,
    WORTH_Q,
)
from flnft_sim.game.loops.pricing import reserve_prices, rival_sums


@KEPT.inner
def active_worth(providers, row, j, satisfaction, in_money):
    """A provider's valuation; 0 for one that cannot bid, for want of money or of anything to pay for."""
    penniless = providers[BUDGET, j] <= 0 and satisfaction != 0
    return 0.0 if penniless or (in_money and satisfaction <= 0) else providers[row, j]


@KEPT.inner
def fraction(total, worth, satisfaction, in_money):
    """q(S)/S, which falls in S."""
    if in_money:
        return max(0.0, 1.0 - satisfaction * total / worth)
    a = 1.0 + satisfaction
    return max(0.0, 1.0 - 2.0 * a * total / (worth + sqrt(worth * worth + 4.0 * a * total * total)))


@KEPT.inner
def bracket(providers, row, prices, satisfied, in_money):
    """log S on either side of the root; twice the same where fewer than two can bid."""
    first = second = everything = 0.0
    for j in range(prices.shape[1]):
        satisfaction = prices[satisfied, j]
        worth = active_worth(providers, row, j, satisfaction, in_money)
        if worth > 0:
            silent = worth / satisfaction if in_money else 2.0 * worth / (4.0 * (1.0 + satisfaction) - 1.0)
            first, second = max(first, silent), max(second, min(first, silent))
            everything += worth
    if second <= 0:
        return 0.0, 0.0
    if in_money:
        return log(0.5 * second) - 1e-9, log(first) + 1e-9
    return log(second) - 1e-9, log(everything)


@KEPT.inner
def provider_equilibrium(providers, row, prices, price, satisfied, in_money):
    """Fill in one kind of price: the sum S of all is found by halving the bracket of its logarithm to the last bit."""
    low, high = bracket(providers, row, prices, satisfied, in_money)
    total = 0.0 if low == high else exp(low)
    middle = (low + high) / 2.0
    while low < middle < high:
        total, filled = exp(middle), 0.0
        for j in range(prices.shape[1]):
            worth = active_worth(providers, row, j, prices[satisfied, j], in_money)
            filled += fraction(total, worth, prices[satisfied, j], in_money) if worth > 0 else 0.0
        low, high = (middle, high) if filled > 1.0 else (low, middle)
        middle = (low + high) / 2.0
    for j in range(prices.shape[1]):
        worth = active_worth(providers, row, j, prices[satisfied, j], in_money)
        prices[price, j] = total * fraction(total, worth, prices[satisfied, j], in_money) if worth > 0 else 0.0


@KEPT.inner
def equilibrium_prices(providers, freshness, reserve, in_money, prices):
    """Fill in both kinds of price for the satisfactions in the rows of money; returns False where a budget binds."""
    provider_equilibrium(providers, WORTH_Q, prices, PRICE_Q, MONEY_Q, in_money)
    provider_equilibrium(providers, WORTH_F, prices, PRICE_F, MONEY_F, in_money)
    for j in range(prices.shape[1]):
        if prices[PRICE_Q, j] * prices[MONEY_Q, j] + prices[PRICE_F, j] * freshness > providers[BUDGET, j]:
            return False
    rival_sums(prices, PRICE_Q, prices, RIVALS_Q)
    rival_sums(prices, PRICE_F, prices, RIVALS_F)
    for j in range(prices.shape[1]):
        q, f = reserve_prices(providers, j, prices[MONEY_Q, j], freshness, reserve)
        if not prices[RIVALS_Q, j] > 0 and prices[MONEY_Q, j] != 0:
            prices[PRICE_Q, j] = q
        if not prices[RIVALS_F, j] > 0 and freshness != 0:
            prices[PRICE_F, j] = f
    return True
