"""A repeated market without a clock: what beliefs are worth when everybody's play makes the history they learn from.

One category of content, one dimension of price, one auction after the other; only beliefs carry over. The whole
simulation has all the rest; here a hundred auctions take milliseconds a kind, so that ten seeds of every kind do.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.experiments.belief_scores import BeliefScore, mean_bids, score_beliefs
from flnft_sim.game.beliefs import BELIEFS, BidBelief
from flnft_sim.game.density import Forecast
from flnft_sim.game.equilibrium import provider_equilibrium
from flnft_sim.game.regimes import DemandRegimes
from flnft_sim.game.responses import provider_best_response, rival_sums
from flnft_sim.game.utilities import provider_utility
from flnft_sim.scenario import Scenario
from flnft_sim.settings.beliefs import DemandSettings
from flnft_sim.streams import Streams


@dataclass(frozen=True, kw_only=True)
class TrialMarket(DemandSettings):
    """The bidders for one kind of FL-NFT and their hidden demand; money per access, satisfaction as Q^λ or F."""

    providers: int = 10
    valuation_money: float = 1000.0
    satisfaction: float = 25.0
    history: int = 60  # auctions played before the first one counts
    measured: int = 40
    reserve_money: float = 150.0
    belief_options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TrialPlay:
    """Money bid, valuations and utilities of T auctions and M providers, (T, M), and what the first kind foretold."""

    money: Floats
    valuations: Floats
    utilities: Floats
    foretold: list[list[Forecast]]

    @property
    def forecasts(self) -> Floats:
        """The first provider's kind's expected bids, money (T, M)."""
        return mean_bids(self.foretold)


def trial_market(scenario: Scenario) -> TrialMarket:
    """The bidders of one category of a scenario, as the market without a clock takes them: one dimension, quality.

    Its satisfaction is left at the default: money hardly depends on a satisfaction above 10.
    """
    game, population = scenario.game, scenario.population
    return TrialMarket(
        providers=max(1, population.providers // population.categories),
        valuation_money=game.quality_elasticity * (game.valuation_money or game.budget_money),
        history=game.history_auctions,
        measured=scenario.market.auctions,
        reserve_money=game.quality_elasticity * scenario.market.reserve_prior_money,
        belief_options=game.belief.told("kind"),
        **game.demand.model_dump(),
    )


def score_kinds(scenario: Scenario) -> dict[str, BeliefScore]:
    """Score every kind of belief on the trial market whose bidders all use the scenario's own.

    Auctions from `game.belief.min_history` on count. Empty where there are none, or fewer than two bidders.
    """
    market, belief = trial_market(scenario), scenario.game.belief
    if market.history + market.measured <= belief.min_history or market.providers < 2:
        return {}
    play = play_market(market, [belief.kind] * market.providers, seed=scenario.seed)
    options = market.belief_options | {"seed": scenario.seed}
    about = (play.money, play.valuations, market.satisfaction)
    return {kind: score_beliefs(kind, *about, measured_from=belief.min_history, options=options) for kind in BELIEFS}


def play_market(market: TrialMarket, kinds: Sequence[str], *, seed: int) -> TrialPlay:
    """Play history and measured auctions; provider j best responds to beliefs of `kinds[j]` about all others.

    There is one belief of a kind per observed provider, shared by all who use that kind: the ledger is public. Equal
    seeds give equal valuations, whatever the kinds. An oracle is told what the others bid, and where all are oracles,
    the equilibrium.
    """
    streams = Streams(seed)
    regimes = DemandRegimes(market, providers=market.providers, rng=streams.generator("demand"))
    banks = {
        kind: [
            BidBelief(kind, seed=streams.integer("beliefs", j), **market.belief_options)
            for j in range(market.providers)
        ]
        for kind in dict.fromkeys(kinds)
    }
    is_oracle = np.array([banks[kind][0].wants_truth for kind in kinds])
    rows: list[tuple[Floats, Floats, Floats]] = []
    foretold = []
    for _ in range(market.history + market.measured):
        valuations = market.valuation_money * regimes.step()
        money = _bids(market, kinds, banks, valuations, ~is_oracle)
        if is_oracle.any():
            equilibrium = market.satisfaction * provider_equilibrium(valuations, market.satisfaction)
            for bank in banks.values():
                for belief, bid in zip(bank, np.where(is_oracle, equilibrium, money), strict=True):
                    belief.reveal(bid)
            money = np.where(is_oracle, _bids(market, kinds, banks, valuations, is_oracle), money)
        foretold.append([belief.parts() for belief in banks[kinds[0]]])
        prices = money / market.satisfaction
        utilities = provider_utility(prices, rival_sums(prices), valuations, market.satisfaction)
        rows.append((money, valuations, utilities))
        for bank in banks.values():
            for belief, bid in zip(bank, money, strict=True):
                belief.observe(bid)
    money, valuations, utilities = (np.array(column) for column in zip(*rows, strict=True))
    return TrialPlay(money, valuations, utilities, foretold)


def _bids(
    market: TrialMarket,
    kinds: Sequence[str],
    banks: dict[str, list[BidBelief]],
    valuations: Floats,
    asked: np.ndarray,
) -> Floats:
    """Best responses (M,) in money of those asked, 0 of the others; the reserve where no rival is expected to bid."""
    money = np.zeros(market.providers)
    for kind, bank in banks.items():
        own = asked & np.array([other == kind for other in kinds])
        if own.any():
            rivals = rival_sums([belief.mean() for belief in bank])
            answer = provider_best_response(rivals / market.satisfaction, valuations, market.satisfaction)
            reserve = np.minimum(market.reserve_money, valuations)
            money = np.where(own, np.where(rivals > 0, answer * market.satisfaction, reserve), money)
    return money
