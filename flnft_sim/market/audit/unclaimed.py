"""What no rule here promises, tried all the same: second names, and pacts of two DAOs or of a provider and a DAO."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from flnft_sim.arrays import Floats, Ints
from flnft_sim.errors import InputError
from flnft_sim.market.audit.counterexample import NOBODYS_ASK, Counterexample, Unclaimed
from flnft_sim.market.audit.markets import Markets, cost_of, market_stacks
from flnft_sim.market.audit.search import ROUNDING
from flnft_sim.market.audit.terms import asks_to_audit, clear_stack_in
from flnft_sim.market.clearing import ClearedStack
from flnft_sim.market.rules.base import Asks
from flnft_sim.streams import checked_seed


@dataclass(frozen=True)
class UnclaimedReport:
    """What second names and pacts earn under a rule, in markets whose largest amount is at most 10."""

    rule: str
    way: Unclaimed
    markets: int
    open: int
    """In how many of the markets somebody gains."""
    largest_gain: float
    """Money."""
    example: Counterexample | None
    """The market of the largest gain, simplified."""


@dataclass(frozen=True)
class _Tried:
    """Gains (B, R) of one party, with one partner or none, by its reports (B, R)."""

    gain: Floats
    reports: Floats
    party: int
    partner: int | None = None


def unclaimed(rule: str, *, markets: int = 1000, seed: int = 0, asks: Asks | None = None) -> list[UnclaimedReport]:
    """Search `markets` markets for second names and pacts that pay under `rule`; the same seed, the same report.

    A provider of two names bids the same by both, a DAO asks its cost by the first; each name draws its own lot. Two
    in a pact share what they gain. Raises `InputError` and `UnknownNameError` as `audit` does.
    """
    kind = asks_to_audit(rule, asks)
    if markets < 1:
        raise InputError(f"an audit of {markets} markets; give at least 1")
    rng = np.random.default_rng(checked_seed(seed))
    count: dict[Unclaimed, int] = dict.fromkeys(get_args(Unclaimed.__value__), 0)
    worst: dict[Unclaimed, Counterexample] = {}
    for stack in market_stacks(markets, rng, kind):
        tie_seed = int(rng.integers(2**31))
        for way in count:
            gain, example = worst_of(rule, way, stack, seed=tie_seed)
            count[way] += int(np.count_nonzero(gain > ROUNDING * stack.scale))
            if example is not None and (way not in worst or example.violation() > worst[way].violation()):
                worst[way] = example
    return [
        UnclaimedReport(
            rule,
            way,
            markets,
            count[way],
            worst[way].violation() if way in worst else 0.0,
            worst[way].simplified() if way in worst else None,
        )
        for way in count
    ]


def worst_of(rule: str, way: Unclaimed, markets: Markets, *, seed: int) -> tuple[Floats, Counterexample | None]:
    """(B,) the most that anybody gains in each market, and the market of the most, None where nobody gains."""
    tried = list(_tried(rule, way, markets, seed))
    if not tried:  # a single DAO has nobody to make a pact with
        return np.zeros(len(markets)), None
    gains = np.stack([each.gain.max(axis=1) for each in tried])
    most, row = gains.max(axis=0), int(gains.max(axis=0).argmax())
    if most[row] <= ROUNDING * markets.scale[row]:
        return most, None
    found = tried[int(gains[:, row].argmax())]
    return most, Counterexample(
        rule=rule,
        promise=way,
        values=tuple(markets.values[row].tolist()),
        costs=tuple(markets.costs[row].tolist()),
        reserve=float(markets.reserve[row]),
        seed=seed,
        party=found.party,
        report=float(found.reports[row, int(found.gain[row].argmax())]),
        asks=markets.asks,
        partner=found.partner,
    )


def _tried(rule: str, way: Unclaimed, markets: Markets, seed: int) -> Iterator[_Tried]:
    if way == "false-name-buyer":
        return _second_buyers(rule, markets, seed)
    if way == "false-name-seller":
        return _second_sellers(rule, markets, seed)
    return _pacts(rule, markets, seed, with_buyer=way == "buyer-and-seller")


def _second_buyers(rule: str, markets: Markets, seed: int) -> Iterator[_Tried]:
    """Each provider bids a share of some total, or its value, by both of two names."""
    values, bidders = markets.values, markets.values.shape[1]
    sharers = np.arange(1, bidders + 2)
    totals = np.column_stack([markets.costs, np.where(np.isinf(markets.reserve), 0.0, markets.reserve)])
    reports = np.column_stack([(totals[..., None] / sharers).reshape(len(markets), -1), values])
    idle = _cleared(rule, markets, np.column_stack([values, np.zeros(len(markets))]), markets.costs, seed)
    for party in range(bidders):
        bids = np.repeat(np.column_stack([values, values[:, 0]])[:, None], reports.shape[1], axis=1)
        bids[..., party] = bids[..., -1] = reports
        names = [party, bidders]

        def kept(cleared: ClearedStack, names: list[int] = names, party: int = party) -> Floats:
            worth = np.where(cleared.wins[..., names].any(axis=-1), values[:, party, None], 0.0)
            return np.asarray(worth - cleared.payments[..., names].sum(axis=-1))

        yield _Tried(kept(_cleared(rule, markets, bids, markets.costs[:, None], seed)) - kept(idle), reports, party)


def _second_sellers(rule: str, markets: Markets, seed: int) -> Iterator[_Tried]:
    """Each DAO asks its cost, and something else by a second name."""
    costs, daos, reports = markets.costs, markets.costs.shape[1], _asks_to_try(markets)
    idle = _cleared(rule, markets, markets.values, np.column_stack([costs, np.full(len(markets), NOBODYS_ASK)]), seed)
    shown = np.broadcast_to(costs[:, None], (*reports.shape, daos))
    tried = _cleared(rule, markets, markets.values[:, None], np.concatenate([shown, reports[..., None]], axis=-1), seed)
    for party in range(daos):
        names = [party, daos]

        def kept(cleared: ClearedStack, names: list[int] = names, party: int = party) -> Floats:
            granted: Ints = cleared.licences[..., names].sum(axis=-1)
            return cleared.receipts[..., names].sum(axis=-1) - cost_of(granted, costs[:, party, None], markets.asks)

        yield _Tried(kept(tried) - kept(idle), reports, party)


def _pacts(rule: str, markets: Markets, seed: int, *, with_buyer: bool) -> Iterator[_Tried]:
    """Each DAO misreports for the good of itself and of another DAO, or of a provider."""
    costs, reports = markets.costs, _asks_to_try(markets)
    spread = replace(markets, values=markets.values[:, None], costs=costs[:, None], reserve=markets.reserve[:, None])
    honest = _cleared(rule, markets, markets.values, costs, seed)
    for party in range(costs.shape[1]):
        asks = np.repeat(costs[:, None], reports.shape[1], axis=1)
        asks[..., party] = reports
        lying = _cleared(rule, markets, markets.values[:, None], asks, seed)
        sellers = _seller_gains(spread, honest, lying)
        partners = _buyer_gains(spread, honest, lying) if with_buyer else sellers
        for partner in range(partners.shape[-1]):
            if with_buyer or partner != party:
                yield _Tried(sellers[..., party] + partners[..., partner], reports, party, partner)


def _seller_gains(spread: Markets, honest: ClearedStack, lying: ClearedStack) -> Floats:
    """(B, R, m)."""
    kept = [each.receipts - spread.cost_of(each.licences) for each in (lying, honest)]
    return kept[0] - kept[1]


def _buyer_gains(spread: Markets, honest: ClearedStack, lying: ClearedStack) -> Floats:
    """(B, R, n)."""
    kept = [np.where(each.wins, spread.values, 0.0) - each.payments for each in (lying, honest)]
    return kept[0] - kept[1]


def _asks_to_try(markets: Markets) -> Floats:
    """(B, R) what k bidders come to at the k-th highest bid, the DAOs' costs and what lies between, and nothing."""
    ranks = np.arange(1, markets.values.shape[1] + 1)
    groups = -np.sort(-markets.values, axis=1) * (ranks if markets.asks == "total" else 1)
    points = np.sort(np.column_stack([groups, markets.costs, np.zeros(len(markets))]), axis=1)
    return np.column_stack([points, (points[:, 1:] + points[:, :-1]) / 2])


def _cleared(rule: str, markets: Markets, bids: Floats, asks: Floats, seed: int) -> ClearedStack:
    """Clear (B, n) or (B, R, n) bids against asks alike; (B, 1, …) results where there is one of each."""
    rows = max(bids.shape[1], asks.shape[1]) if max(bids.ndim, asks.ndim) == 3 else 1
    bids, asks = (each[:, None] if each.ndim == 2 else each for each in (bids, asks))
    bids, asks = (np.broadcast_to(each, (len(markets), rows, each.shape[-1])) for each in (bids, asks))
    reserve = np.broadcast_to(markets.reserve[:, None], (len(markets), rows))
    return clear_stack_in(markets.asks, rule, bids, asks, reserve, seed=seed)
