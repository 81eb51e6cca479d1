"""The policy behind an environment: whoever learns is asked, and waits for its action; all others play by the book."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy

from flnft_sim.agents.decision import Agreement, Answers, Decision
from flnft_sim.agents.policy import Policy, Process
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.arrays import Floats
from flnft_sim.env.views import provider_view, user_view
from flnft_sim.game import DecisionProblem, quality_satisfaction
from flnft_sim.simulation import FlnftModel

BID_SCALE = 2.0  # an action of 1 bids this many valuations, where the budget goes so far


@dataclass(frozen=True)
class Question:
    """An agent that waits: what it sees, and what to tell its action to."""

    view: Floats
    answered: simpy.Event


class Asking(Policy):
    """Asks `learners` once an auction, or once a round; `questions` holds who waits now, by name.

    An agent may have several questions at one moment (of all DAOs that sell what it wants): one action answers them.
    """

    def __init__(self, model: FlnftModel, learners: Sequence[str], *, every_round: bool) -> None:
        self.model, self.learners, self.every_round = model, frozenset(learners), every_round
        self.questions: dict[str, list[Question]] = {}
        self._kept: dict[str, tuple[int, Any]] = {}  # a user's action, and the episode that it is for

    def announce(self, dao: int, problem: DecisionProblem) -> Process:
        """Let providers that learn insist on prices, where they are asked every round."""
        asked = {at: buyer for at, buyer in enumerate(self.model.daos[dao].buyers) if buyer.name in self.learners}
        if not (self.every_round and asked):
            return problem
        quality, freshness = np.full((2, len(self.model.daos[dao].buyers)), np.nan)
        waiting = {at: self._ask(buyer.name, self._provider_view(buyer, 0.0)) for at, buyer in asked.items()}
        for at, buyer in asked.items():
            action = yield waiting[at]
            money = action * min(buyer.valuation_money, buyer.budget_money / 2)
            quality[at], freshness[at] = money / _satisfactions(problem, buyer)
        return problem.insisting(quality, freshness)

    def answer(self, dao: int, agreement: Agreement) -> Process:
        """Let users that learn choose epochs and ε, in every round or once a minting."""
        yield from ()
        assert isinstance(agreement, Decision)  # an environment plays the mechanism of prices
        decision, step, problem = agreement, agreement.step, agreement.problem
        takes_part, epochs, privacy = step.takes_part.copy(), step.epochs.copy(), step.privacy.copy()
        asked = {at: name for at, name in enumerate(self.model.daos[dao].members.names) if name in self.learners}
        waiting = {
            at: self._ask(name, user_view(self.model, decision, at, rounds_done=self._rounds_done(dao)))
            for at, name in asked.items()
            if self.every_round or self._kept.get(name, (-1,))[0] != self.model.episode
        }
        for at, name in asked.items():
            if at in waiting:
                self._kept[name] = (self.model.episode, (yield waiting[at]))
            effort, risk = self._kept[name][1]
            epochs[at] = round(float(effort) * float(problem.users.epochs_max[at]))
            low, high = problem.privacy_range
            privacy[at] = low + float(risk) * (high - low)
            takes_part[at] = epochs[at] > 0
        return Answers(takes_part, np.maximum(epochs, 1), privacy)

    def bid(self, provider: int, money: float) -> Process:
        """Let a provider that learns choose its bid, where it is asked once an auction."""
        buyer = self.model.providers[provider]
        if self.every_round or buyer.name not in self.learners:
            return money
        action = yield self._ask(buyer.name, self._provider_view(buyer, money))
        return min(float(action[0]) * BID_SCALE * buyer.valuation_money, buyer.budget_money)

    def _ask(self, name: str, view: Floats) -> simpy.Event:
        answered = self.model.env.event()
        self.questions.setdefault(name, []).append(Question(view, answered))
        return answered

    def _provider_view(self, buyer: ServiceProvider, money: float) -> Floats:
        done = max(self._rounds_done(dao.number) for dao in self.model.daos if buyer in dao.buyers)
        return provider_view(self.model, buyer, by_the_book_money=money, rounds_done=done)

    def _rounds_done(self, dao: int) -> int:
        name, episode = self.model.daos[dao].name, self.model.episode
        rows = self.model.world.records.rounds[-self.model.settings.population.daos :]
        return max((row.round for row in rows if row.dao == name and row.episode == episode), default=0)


def _satisfactions(problem: DecisionProblem, buyer: ServiceProvider) -> Floats:
    """What a unit of each price would cost a provider if all members worked as they did last, (2,)."""
    quality = quality_satisfaction(float(problem.users.quality_contributions.sum()), buyer.elasticity_ratio)
    ages = problem.users.fixed_age_s + problem.users.seconds_per_epoch * problem.users.last_epochs
    freshness = float(np.maximum(0.0, np.log(problem.freshness_horizon_s / np.maximum(ages, 1e-9))).sum())
    return np.maximum([quality, freshness], 1e-9)
