"""The decision phase on the clock: providers announce prices, users answer, until prices settle or T is over."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy

from flnft_sim.arrays import Floats, Ints
from flnft_sim.game import (
    DecisionProblem,
    DecisionStep,
    cash_surplus,
    compute_unit_cost,
    decide,
    decision_steps,
    effort_cost,
    privacy_unit_cost,
    quality_contribution,
    user_utility,
)

if TYPE_CHECKING:
    from flnft_sim.agents.dao.dao import MuDao
    from flnft_sim.agents.provider import ServiceProvider

Process = Generator[simpy.Event, Any, Any]


@dataclass(frozen=True)
class Decision:
    """What a decision phase came to: the last exchange, who took part in it, what it cost in time."""

    buyers: tuple["ServiceProvider", ...]
    problem: DecisionProblem
    step: DecisionStep
    seconds: float
    settled: bool | None = None
    """Whether prices settled before the decision period was over; None where no decision was held on the clock."""

    @property
    def believed_rivals_money(self) -> Floats:
        """What each provider believes all others bid together: (M,) money."""
        everyone = np.asarray(self.problem.believed_quality_money) + np.asarray(self.problem.believed_freshness_money)
        return everyone.sum() - everyone

    @property
    def rewards(self) -> Floats:
        """Σ_j δ_ij as announced, all providers counted as paying: (N,) money."""
        step = self.step
        return step.quality_money.sum() * step.quality_shares + step.freshness_money.sum() * step.freshness_shares


class DecisionPhase:
    """How one DAO and the providers that demand its category come to terms, round by round."""

    def __init__(self, dao: "MuDao") -> None:
        self.dao = dao

    def hold(self, round_number: int) -> Process:
        """Exchange prices and answers until they settle or the decision period is over; returns the `Decision`.

        A scheme that does not play the game takes no time for it: its users work as the scheme says, and prices are
        those of the first exchange, so that rewards can be told for every scheme alike.
        """
        dao, env, game = self.dao, self.dao.world.env, self.dao.world.settings.game
        problem = self.problem()
        steps = decision_steps(problem)
        if not dao.scheme.plays_game:
            return self._decision(problem, next(steps), seconds=0.0)
        started_s = env.now
        dao.members.show("decision")
        with dao.doing("decision", round=round_number, dao=dao.label):
            for step in steps:
                yield env.timeout(game.decision_step_s)
                settled = bool(step.gap <= game.decision_tolerance)
                over = env.now + game.decision_step_s > started_s + game.decision_period_s
                if settled or over:
                    break
        dao.members.show("idle")
        dao.members.tell_decision(dao, round_number, started_s)
        return self._decision(problem, step, seconds=env.now - started_s, settled=settled)

    def settle(self) -> Decision:
        """The same exchange off the clock, for the auctions of the ledger's history."""
        problem = self.problem()
        step = decide(problem, tolerance=self.dao.world.settings.game.decision_tolerance, most_steps=20)
        return self._decision(problem, step, seconds=0.0)

    def outcome(self, decision: Decision, epochs: Floats, privacy: Floats) -> tuple[Floats, Floats, Floats]:
        """Utility Φ_i (Eq. 14) and cash surplus δ_i − κ·C_i of a whole minting at what users did, and the round's cost.

        All in money, (N,), and 0 for a user that took no part.
        """
        settings = self.dao.world.settings
        part, privacy = epochs > 0, np.where(epochs > 0, privacy, 1.0)
        # Without noise (centralized) ε is infinite; it is counted, and paid for, as the most that may be asked for.
        privacy = np.minimum(privacy, settings.game.privacy_range[1])
        epochs = np.maximum(epochs, 1.0)
        compute, exposure = np.asarray(decision.problem.compute_costs), np.asarray(decision.problem.privacy_costs)
        utility = user_utility(decision.rewards, epochs, privacy, compute, exposure, fairness=settings.game.sigma)
        surplus = cash_surplus(decision.rewards, epochs, privacy, compute, exposure)
        cost = effort_cost(epochs, privacy, compute, exposure) / settings.learning.rounds
        return np.where(part, utility, 0.0), np.where(part, surplus, 0.0), np.where(part, cost, 0.0)

    def problem(self) -> DecisionProblem:
        """What is known at the start of a round: contributions measured so far, costs, beliefs, valuations."""
        dao, world = self.dao, self.dao.world
        game, known = world.settings.game, dao.experience
        buyers = self._buyers()
        compute, privacy = self._unit_costs()
        kappa = game.cost_price * world.settings.learning.rounds
        seconds = dao.seconds_per_epoch
        problem = DecisionProblem(
            quality_contributions=quality_contribution(dao.shard_sizes, known.mean_loss, mu0=game.mu0, mu1=game.mu1),
            fixed_age_s=known.fixed_age_s,
            seconds_per_epoch=seconds,
            compute_costs=kappa * compute,
            privacy_costs=kappa * privacy,
            epochs_max=self._epochs_max(seconds),
            last_epochs=known.last_epochs,
            valuations_quality=np.array([b.quality_valuation_money for b in buyers]),
            valuations_freshness=np.array([b.freshness_valuation_money for b in buyers]),
            budgets=np.array([b.budget_money for b in buyers]),
            elasticity_ratio=np.array([b.elasticity_ratio for b in buyers]),
            fairness=game.sigma,
            privacy_range=game.privacy_range,
            freshness_horizon_s=game.freshness_horizon_s,
            reserve=world.reserve_money(dao.category),
            damping=game.damping,
            reward_expectation=game.reward_expectation,
            user_reply=game.user_reply,
        )
        return self._with_beliefs(problem, buyers)

    def _with_beliefs(self, problem: DecisionProblem, buyers: tuple["ServiceProvider", ...]) -> DecisionProblem:
        """Fill in what the public ledger lets everyone believe of each provider's money."""
        book, numbers = self.dao.world.beliefs, [buyer.number for buyer in buyers]
        if book.wants_truth:
            truth = decide(problem)  # without beliefs the decision is the equilibrium of full information
            book.reveal(truth.quality_money, truth.freshness_money, numbers)
        quality, freshness = book.believed_money(numbers)
        return replace(problem, believed_quality_money=quality, believed_freshness_money=freshness)

    def _buyers(self) -> tuple["ServiceProvider", ...]:
        return tuple(p for p in self.dao.world.providers if p.category == self.dao.category)

    def _unit_costs(self) -> tuple[Floats, Floats]:
        """C^c (Eq. 6) and C^p (Eq. 7) of each member, in cost units."""
        dao, settings = self.dao, self.dao.world.settings
        devices, game = settings.devices, settings.game
        compute = compute_unit_cost(
            cycles_per_batch=dao.cycles_per_sample * settings.learning.batch_size,
            cpu_hz=dao.members.cpu_hz,
            memory_gb=devices.memory_gb,
            memory_ratio=devices.memory_ratio,
            alpha=game.alpha,
            capacitance=devices.capacitance,
        )
        return compute, privacy_unit_cost(dao.experience.update_norm, beta=game.beta)

    def _epochs_max(self, seconds_per_epoch: Floats) -> Ints:
        """k_max: the most epochs that fit the round's deadline (Eq. 15's C2 with its units mended); 0 = stay out."""
        settings = self.dao.world.settings
        most = np.full(len(seconds_per_epoch), settings.game.epochs_max, dtype=np.int64)
        deadline_s = settings.timeline.round_deadline_s
        if deadline_s is None:
            return most
        left_s = deadline_s - self.dao.experience.fixed_age_s
        fitting = np.floor(left_s / np.maximum(seconds_per_epoch, 1e-12)).clip(0, settings.game.epochs_max)
        return np.minimum(most, fitting.astype(np.int64))

    def _decision(
        self, problem: DecisionProblem, step: DecisionStep, *, seconds: float, settled: bool | None = None
    ) -> Decision:
        return Decision(self._buyers(), problem, step, seconds, settled)
