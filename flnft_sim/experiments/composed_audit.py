"""Audit the market as a whole: what one party gains by shading when everything downstream reacts.

A rule's guarantees hold for one clearing with asks and reserve given. In a market they are not given: a provider's
Stage-I price moves the users' answers and claims, hence every ask, and reports move again when nobody wins. No theorem
promises that truth pays there, so this measures what shading earns, in the very markets of a scenario, off the clock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from flnft_sim import families
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.dao.decision import HISTORY_STEPS
from flnft_sim.agents.decision import Decision
from flnft_sim.agents.mechanisms.paper import SettledMarket, settled_market
from flnft_sim.arrays import Floats
from flnft_sim.errors import InputError
from flnft_sim.experiments.effort_audit import other_efforts
from flnft_sim.experiments.sound_audit import attacks, misreports, sound_standings
from flnft_sim.market import Clearing, ask_per_licence, clear, facts_of, rebid_step, vote
from flnft_sim.scenario import Scenario
from flnft_sim.scenario.asks import asks_of, fitting_rules
from flnft_sim.simulation import FlnftModel
from flnft_sim.simulation.history import play_history

FACTORS = (0.0, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 1.05, 1.1, 1.25, 1.5, 2.0, 4.0)
"""What a party's honest bid or ask, or the worth it prices by, is multiplied with."""

KINDS = ("price", "bid", "value", "ask", "promise", "effort", "privacy", "pact")
"""A provider's Stage-I price with the bid that follows from it; its sealed bid alone; the value that it seals; what a
DAO asks and promises; a member's epochs and ε; all members' epochs together. Prices and bids are `paper`'s, values,
promises and pacts `sound`'s."""

_IF_HONEST = ("trades", "does not")


@dataclass(frozen=True)
class Reports:
    """Money per licence before the first clearing: bids (M,) and asks (H,)."""

    bids: Floats
    asks: Floats


@dataclass(frozen=True)
class Standing:
    """One market of the scenario before its decision: who meets whom, at which valuations, beliefs and reserve."""

    name: str
    market: SettledMarket
    """With the honest decisions, a DAO each."""
    valuations: Floats
    """(M,) what a licence is worth to each provider at this moment, money."""
    budgets: Floats
    """(M,) what each provider may bid at most, money."""
    reserve_money: float

    def honest(self) -> Reports:
        """What is reported when everybody plays by the book."""
        return self._reports(self.market.decisions)

    def priced_otherwise(self, provider: int, factor: float) -> Reports:
        """One provider prices, in Stage I, as if a licence were worth `factor` as much to it.

        Its price falls or rises with that worth, users answer the price, and its bid is what the price comes to.
        """
        return self._reports([self._repriced(decision, provider, factor) for decision in self.market.decisions])

    def bid_otherwise(self, provider: int, factor: float) -> Reports:
        """One provider seals another bid than its price comes to, within its budget; nobody can react."""
        reports = self.honest()
        bids = reports.bids.copy()
        bids[provider] = min(factor * bids[provider], self.budgets[provider])
        return replace(reports, bids=bids)

    def asked_otherwise(self, dao: int, factor: float) -> Reports:
        """One DAO asks another price of a licence than its members' claims come to."""
        reports = self.honest()
        asks = reports.asks.copy()
        asks[dao] *= factor
        return replace(reports, asks=asks)

    def play(self, rule: str, reports: Reports) -> Clearing:
        """Clear, and rebid as the auction contract does while nobody wins and the clock allows."""
        market = self.market.daos[0].world.settings.market
        rebids = min(market.rebids_max, int(market.clock_s // market.bidding_s) - 1)
        bids, asks, limits = reports.bids, reports.asks, np.minimum(self.valuations, self.budgets)
        cleared = clear(rule, bids, asks, reserve=self.reserve_money)
        while not cleared.buyers.size and rebids > 0 and bids.max() > 0:
            moved = rebid_step(bids, asks, step=market.rebid_step, bid_limits=limits)
            bids, asks, rebids = moved.bids, moved.asks, rebids - 1
            cleared = clear(rule, bids, asks, reserve=self.reserve_money)
        return cleared

    def _repriced(self, decision: Decision, provider: int, factor: float) -> Decision:
        """The decision phase anew, with one provider's worth of quality and freshness multiplied by `factor`."""
        problem = decision.problem
        scale = np.ones(len(decision.buyers))
        scale[provider] = factor
        changed = replace(
            problem,
            valuations_quality=problem.providers.valuations_quality * scale,
            valuations_freshness=problem.providers.valuations_freshness * scale,
        )
        world = self.market.daos[0].world
        tolerance = world.settings.game.decision_tolerance
        step = world.engine.decide(changed, tolerance=tolerance, most_steps=HISTORY_STEPS)
        return replace(decision, problem=changed, step=step)

    def _reports(self, decisions: Sequence[Decision]) -> Reports:
        market = self.market.daos[0].world.settings.market
        money = [decision.step.quality_money + decision.step.freshness_money for decision in decisions]
        bids = np.mean(money, axis=0)  # a provider bids for a licence of whichever DAO is the cheapest
        bidders = int(np.count_nonzero(bids > 0))
        totals = [
            _total_claims(dao, decision.rewards) for dao, decision in zip(self.market.daos, decisions, strict=True)
        ]
        return Reports(bids, np.array([ask_per_licence(total, bidders, market.ask_fraction) for total in totals]))


def composed_audit(
    scenario: Scenario, rules: Sequence[str], *, episodes: int = 3, factors: Sequence[float] = FACTORS
) -> pd.DataFrame:
    """Let every party of `episodes` episodes shade every report of its own, one at a time, under each rule.

    A row per rule, market, party and kind (`KINDS`) with the best of what was tried: columns rule, kind, market, party,
    factor of the honest report (1 where nothing pays), gain_money, honest_utility_money, honest_price_money,
    price_money, and tried, how many misreports were. Utilities are money. With the mechanism `paper` a provider's is
    V_j less its payment where it wins, a DAO's the money it receives, since minting is sunk and a copy is free, a
    member's its share of that less its costs. With `sound` (`sound_audit`) prices are pots, and a DAO's utility is what
    its members keep together.
    """
    sound = asks_of(families.MECHANISMS, scenario.market.mechanism) == "total"
    for rule in rules:
        _refuse_other(rule, sound=sound)
    if episodes < 1:
        raise InputError(f"a composed audit of {episodes} episodes; give at least 1")
    if sound:
        return pd.DataFrame(list(_sound_rows(scenario, rules, episodes, factors)))
    rows = [row for standing in standings(scenario, episodes) for row in _shadings(standing, rules, factors)]
    return pd.DataFrame(rows)


def sound_attacks(scenario: Scenario, rule: str) -> pd.DataFrame:
    """What attacks on the contests of a scenario's first episode earn: a row per market, attack and setting.

    Columns market, attack, setting, attackers, gain (part of the pot), gain_money, claimed (the largest gain that is
    promised, NaN where none is).
    """
    cast = FlnftModel(scenario).cast
    cast.next_demand()
    rows = [
        {"market": standing.name, **each._asdict(), "gain_money": each.gain * standing.honest.pot}
        for standing in sound_standings(cast, [rule], 0)
        for each in attacks(standing)
    ]
    columns = ["market", "attack", "setting", "attackers", "gain", "gain_money", "claimed"]
    return pd.DataFrame(rows, columns=columns).astype({"claimed": float})


def _refuse_other(rule: str, *, sound: bool) -> None:
    in_total = facts_of(rule).asks == "total"
    if in_total and not sound:
        raise InputError(
            f"rule {rule!r} clears total asks, and in this audit DAOs ask for each licence; leave --composed away"
        )
    if sound and not in_total:
        raise InputError(
            f"rule {rule!r} clears asks for each licence, and DAOs of this scenario ask for the whole model; choose "
            f"from {', '.join(fitting_rules('sound'))}"
        )


def _sound_rows(
    scenario: Scenario, rules: Sequence[str], episodes: int, factors: Sequence[float]
) -> Iterator[dict[str, object]]:
    cast = FlnftModel(scenario).cast
    for episode in range(episodes):
        cast.next_demand()
        for standing in sound_standings(cast, rules, episode):
            for tried in misreports(standing, factors):
                yield {
                    "rule": standing.rule,
                    "kind": tried.kind,
                    "market": standing.name,
                    "party": tried.party,
                    "factor": tried.factor,
                    "gain_money": tried.gain,
                    "honest_utility_money": tried.honest,
                    "honest_price_money": tried.honest_price,
                    "price_money": tried.price,
                    "tried": tried.tried,
                }
        play_history(cast, 1)


def summary(shadings: pd.DataFrame) -> pd.DataFrame:
    """By rule, kind and whether the party trades when everybody is honest: how many gain by shading, and how much.

    `largest_price_cut` is the largest share by which a winning provider lowers the price it pays.
    """
    trades = shadings["honest_utility_money"] > 0
    pays = trades & shadings["kind"].isin(["price", "bid"])
    table = shadings.assign(
        rule=pd.Categorical(shadings["rule"], list(dict.fromkeys(shadings["rule"]))),
        kind=pd.Categorical(shadings["kind"], KINDS),
        if_honest=pd.Categorical(np.where(trades, *_IF_HONEST), _IF_HONEST),
        gains=shadings["gain_money"] > 0,
        price_cut=(1.0 - shadings["price_money"] / shadings["honest_price_money"]).where(pays),
    )
    groups = table.groupby(["rule", "kind", "if_honest"], observed=True)
    return groups.agg(
        parties=("gains", "size"),
        tried=("tried", "sum"),
        gaining_share=("gains", "mean"),
        mean_gain_money=("gain_money", "mean"),
        largest_gain_money=("gain_money", "max"),
        largest_price_cut=("price_cut", "max"),
    ).reset_index()


def standings(scenario: Scenario, episodes: int) -> Iterator[Standing]:
    """The markets of a scenario's episodes as they stand; between two of them the ledger sees one more auction."""
    cast = FlnftModel(scenario).cast
    for episode in range(episodes):
        cast.next_demand()
        for category in dict.fromkeys(dao.category for dao in cast.daos):
            market = settled_market([dao for dao in cast.daos if not dao.withdraws], category)
            if market is not None:
                yield Standing(
                    name=f"{category}-e{episode}",
                    market=market,
                    valuations=np.array([buyer.valuation_money for buyer in market.buyers]),
                    budgets=np.array([buyer.budget_money for buyer in market.buyers]),
                    reserve_money=cast.world.reserves.money(category),
                )
        play_history(cast, 1)


def _shadings(standing: Standing, rules: Sequence[str], factors: Sequence[float]) -> Iterator[dict[str, object]]:
    honest = standing.honest()
    played = {rule: standing.play(rule, honest) for rule in rules}
    buyers = [buyer.name for buyer in standing.market.buyers]
    for party, name in enumerate(buyers):
        for kind, report in (("price", standing.priced_otherwise), ("bid", standing.bid_otherwise)):
            tried = [(factor, report(party, factor)) for factor in factors]
            for rule in rules:
                yield _best(standing, rule, kind, party, name, played[rule], tried)
    for party, dao in enumerate(standing.market.daos):
        tried = [(factor, standing.asked_otherwise(party, factor)) for factor in factors]
        for rule in rules:
            yield _best(standing, rule, "ask", party, dao.name, played[rule], tried)
            yield from _members(standing, rule, party, played[rule])


def _members(standing: Standing, rule: str, party: int, cleared: Clearing) -> Iterator[dict[str, object]]:
    """The rows of a DAO's members, who can train otherwise than they answered."""
    dao, decision = standing.market.daos[party], standing.market.decisions[party]
    numbers = dao.members.numbers.tolist()
    price = np.nan if cleared.price is None else cleared.price
    for each in other_efforts(decision, float(cleared.receipts[party])):
        yield {
            "rule": rule,
            "kind": each.kind,
            "market": standing.name,
            "party": f"user {numbers[each.member]}",
            "factor": each.factor,
            "gain_money": each.gain,
            "honest_utility_money": each.honest,
            "honest_price_money": price,
            "price_money": price,
            "tried": each.tried,
        }


def _best(
    standing: Standing,
    rule: str,
    kind: str,
    party: int,
    name: str,
    honest: Clearing,
    tried: Sequence[tuple[float, Reports]],
) -> dict[str, object]:
    """The row of one party: the most profitable of the reports tried."""
    fair = _utility(standing, kind, party, honest)
    best_factor, best, best_utility = 1.0, honest, fair
    for factor, reports in tried:
        cleared = standing.play(rule, reports)
        utility = _utility(standing, kind, party, cleared)
        if utility > best_utility + 1e-6:  # a unit of money: less cannot be paid
            best_factor, best, best_utility = factor, cleared, utility
    return {
        "rule": rule,
        "kind": kind,
        "market": standing.name,
        "party": name,
        "factor": best_factor,
        "gain_money": best_utility - fair,
        "honest_utility_money": fair,
        "honest_price_money": np.nan if honest.price is None else honest.price,
        "price_money": np.nan if best.price is None else best.price,
        "tried": len(tried),
    }


def _utility(standing: Standing, kind: str, party: int, cleared: Clearing) -> float:
    if kind == "ask":
        return float(cleared.receipts[party])
    worth = standing.valuations[party] if party in cleared.buyers else 0.0
    return float(worth - cleared.payments[party])


def _total_claims(dao: MuDao, rewards: Floats) -> float:
    """What the members' votes leave of their asks (Eq. 34), everybody estimating rewards rightly."""
    voting = dao.world.settings.market.voting
    asks = np.where(dao.members.inflates, voting.inflation * rewards, rewards)
    return vote(asks, rewards, tolerance=voting.tolerance, rule=voting.rule).total_ask
