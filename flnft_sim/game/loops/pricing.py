# mypy: disallow-untyped-defs=False
"""Providers' prices for a foreseen satisfaction (`flnft_sim.game.pricing`), and what users count on of them."""

from math import exp, isfinite, isnan, log, sqrt

from flnft_sim.game.loops.kept import (
    BELIEVED_F,
    BELIEVED_Q,
    BUDGET,
    INSISTED_F,
    INSISTED_Q,
    KEPT,
    MONEY_F,
    MONEY_Q,
    PRICE_F,
    PRICE_Q,
    RATIO,
    RIVALS_F,
    RIVALS_Q,
    WORTH_F,
    WORTH_Q,
)
from flnft_sim.game.responses import BISECTIONS


@KEPT.inner
def rival_sums(bids, row, sums, into):
    """The sum of all others' bids; returns whether all are finite."""
    total = 0.0
    for j in range(bids.shape[1]):
        sums[into, j] = total
        total += bids[row, j]
    finite = isfinite(total)
    total = 0.0
    for j in range(bids.shape[1] - 1, -1, -1):
        sums[into, j] += total
        total += bids[row, j]
    return finite


@KEPT.inner
def per_unit(money, satisfaction):
    return money / satisfaction if satisfaction > 0 else 0.0


@KEPT.inner
def best_bid(rivals, worth, satisfaction, in_money):
    """`provider_best_response`."""
    numerator = rivals * (worth - satisfaction * rivals)
    if in_money:
        root = sqrt(satisfaction)
        denominator = root * (sqrt(rivals * worth) + root * rivals)
    else:
        denominator = (satisfaction + 1.0) * (sqrt(rivals * (rivals + worth) / (satisfaction + 1.0)) + rivals)
    return max(0.0, numerator / denominator) if denominator > 0 else 0.0


@KEPT.inner
def silencing_weight(rivals, worth, satisfaction):
    spent = satisfaction * rivals
    return max(1.0, worth / spent if spent > 0 else 1.0) * (1.0 + 1e-12)


@KEPT.inner
def within_budget(rivals_q, rivals_f, worth_q, worth_f, quality, freshness, purse, in_money):
    """Both prices of a provider whose budget binds: bisection on log(1 + ν)."""
    lower = 0.0
    upper = log(max(silencing_weight(rivals_q, worth_q, quality), silencing_weight(rivals_f, worth_f, freshness)))
    for _ in range(BISECTIONS):
        middle = (lower + upper) / 2.0
        weight = exp(middle)
        q = best_bid(rivals_q, worth_q, weight * quality, in_money)
        f = best_bid(rivals_f, worth_f, weight * freshness, in_money)
        if q * quality + f * freshness > purse:
            lower = middle
        else:
            upper = middle
    weight = exp(upper)
    return (
        best_bid(rivals_q, worth_q, weight * quality, in_money),
        best_bid(rivals_f, worth_f, weight * freshness, in_money),
    )


@KEPT.inner
def reserve_prices(providers, j, quality, freshness, reserve):
    money = min(min(reserve, providers[WORTH_Q, j] + providers[WORTH_F, j]), providers[BUDGET, j])
    share = providers[RATIO, j] / (1.0 + providers[RATIO, j])
    on_quality = share if freshness > 0 else 1.0
    on_freshness = 1.0 - share if quality > 0 else 1.0
    return per_unit(on_quality * money, quality), per_unit(on_freshness * money, freshness)


@KEPT.inner
def belief_price(providers, j, rivals_q, rivals_f, quality, freshness, reserve, in_money):
    """The best response to what is believed of the others, within the budget; the reserve where nobody else bids."""
    lone_q, lone_f = reserve_prices(providers, j, quality, freshness, reserve)
    lone_q, lone_f = 0.0 if rivals_q > 0 else lone_q, 0.0 if rivals_f > 0 else lone_f
    worth_q, worth_f = providers[WORTH_Q, j], providers[WORTH_F, j]
    purse = max(0.0, providers[BUDGET, j] - lone_q * quality - lone_f * freshness)
    q, f = best_bid(rivals_q, worth_q, quality, in_money), best_bid(rivals_f, worth_f, freshness, in_money)
    if q * quality + f * freshness > purse:
        q, f = within_budget(rivals_q, rivals_f, worth_q, worth_f, quality, freshness, purse, in_money)
    return q + lone_q, f + lone_f


@KEPT.inner
def satisfied(providers, quality, freshness, prices):
    """Fill in the satisfactions, in the rows of the money to come; returns whether each is a number."""
    for j in range(prices.shape[1]):
        prices[MONEY_Q, j], prices[MONEY_F, j] = quality ** providers[RATIO, j], freshness
        if not isfinite(prices[MONEY_Q, j]) or providers[RATIO, j] <= 0:
            return False
    return True


@KEPT.inner
def belief_prices(providers, freshness, reserve, in_money, prices):
    """Fill in both kinds of price; returns False where a believed price is no number."""
    for j in range(prices.shape[1]):
        prices[PRICE_Q, j] = per_unit(providers[BELIEVED_Q, j], prices[MONEY_Q, j])
        prices[PRICE_F, j] = per_unit(providers[BELIEVED_F, j], freshness)
    if not (rival_sums(prices, PRICE_Q, prices, RIVALS_Q) and rival_sums(prices, PRICE_F, prices, RIVALS_F)):
        return False
    for j in range(prices.shape[1]):
        rivals_q, rivals_f = prices[RIVALS_Q, j], prices[RIVALS_F, j]
        q, f = belief_price(providers, j, rivals_q, rivals_f, prices[MONEY_Q, j], freshness, reserve, in_money)
        prices[PRICE_Q, j], prices[PRICE_F, j] = q, f
    return True


@KEPT.inner
def insist_and_pay(providers, prices):
    """Let those insist who do; from then on the rows of money hold money."""
    for j in range(prices.shape[1]):
        if not isnan(providers[INSISTED_Q, j]):
            prices[PRICE_Q, j] = providers[INSISTED_Q, j]
        if not isnan(providers[INSISTED_F, j]):
            prices[PRICE_F, j] = providers[INSISTED_F, j]
        prices[MONEY_Q, j] *= prices[PRICE_Q, j]
        prices[MONEY_F, j] *= prices[PRICE_F, j]


@KEPT.inner
def counted_money(prices, price, money, scratch, expected):
    """What users count on of one kind of money: all that is announced, or each at its chance to win."""
    total = 0.0
    if not expected:
        for j in range(prices.shape[1]):
            total += prices[money, j]
        return total
    rival_sums(prices, price, prices, scratch)
    for j in range(prices.shape[1]):
        bids = prices[price, j] + prices[scratch, j]
        total += prices[money, j] * (prices[price, j] / bids if bids > 0 else 0.0)
    return total
