"""What is left of clearing rules where a single DAO sells: no second ask sets a price, so some of them coincide."""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.market.clearing import ClearedStack, clear_stack
from flnft_sim.market.rules import RULES

_BIDDERS = (1, 2, 3, 5, 8)
_MARKETS = 400  # of each size


@cache
def posts_the_reserve(rule: str) -> bool:
    """Whether with one DAO the rule is a posted price: who bids the reserve or more pays it, if the ask is no higher.

    Found out by trying it on a fixed set of markets, whatever the rule (`pms-am` does; so does any that never looks
    beyond the reserve and the cheapest ask).
    """
    return all(
        np.array_equal(cleared.wins, wins)
        and np.array_equal(cleared.payments, payments)
        and np.allclose(cleared.receipts, payments.sum(axis=-1, keepdims=True))
        for (bids, asks, reserve), cleared in zip(_markets(), _cleared(rule), strict=True)
        for wins, payments in [_posted(bids, asks, reserve)]
    )


def alike_with_one_seller(rules: Sequence[str]) -> list[tuple[str, ...]]:
    """Groups of two or more of these rules that decide alike in every market tried with one DAO, in their order."""
    groups: list[list[str]] = []
    for rule in dict.fromkeys(rules):
        alike = next((group for group in groups if _same(_cleared(group[0]), _cleared(rule))), None)
        if alike is None:
            groups.append([rule])
        else:
            alike.append(rule)
    return [tuple(group) for group in groups if len(group) > 1]


def _posted(bids: Floats, asks: Floats, reserve: Floats) -> tuple[np.ndarray, Floats]:
    trade = (asks[..., 0] <= reserve) & np.isfinite(reserve)
    wins = trade[..., None] & (bids >= reserve[..., None])
    return wins, np.where(wins, reserve[..., None], 0.0)


def _same(one: Sequence[ClearedStack], other: Sequence[ClearedStack]) -> bool:
    return all(
        np.array_equal(a.wins, b.wins) and np.allclose(a.payments, b.payments) and np.allclose(a.receipts, b.receipts)
        for a, b in zip(one, other, strict=True)
    )


def _markets() -> Iterator[tuple[Floats, Floats, Floats]]:
    """Bids (m, n), asks (m, 1) and reserves (m,) in tenths, so that equal reports and bids at the reserve occur."""
    rng = np.random.default_rng(0)
    for bidders in _BIDDERS:
        bids = rng.integers(0, 100, (_MARKETS, bidders)) / 10
        asks, reserve = rng.integers(0, 80, (_MARKETS, 1)) / 10, rng.integers(0, 100, _MARKETS) / 10
        reserve[: _MARKETS // 20] = np.inf  # there is none
        yield bids, asks, reserve


@cache
def _cleared(rule: str) -> tuple[ClearedStack, ...]:
    RULES.get(rule)
    return tuple(clear_stack(rule, *market, seed=0) for market in _markets())
