"""What members agree on before a round, and what users and providers agree on by exchanging prices and answers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.game import DecisionProblem, DecisionStep, terms_for_all, user_exploitability


@dataclass(frozen=True)
class Answers:
    """What the N members of a DAO will do in a round, if its scheme lets them: arrays (N,)."""

    takes_part: Bools
    epochs: Ints
    privacy: Floats


class Agreement(ABC):
    """How much each of N members will work in a round, and what it may expect for it."""

    seconds: float
    """How long it took on the clock."""

    @property
    @abstractmethod
    def answers(self) -> Answers:
        """What the members will do."""

    @property
    @abstractmethod
    def rewards(self) -> Floats:
        """Money that each member may expect for the whole minting: (N,)."""

    @abstractmethod
    def told(self) -> dict[str, Any]:
        """What a row of the table `rounds` has of it."""

    @abstractmethod
    def columns(self, epochs: Floats, privacy: Floats) -> dict[str, Any]:
        """What rows of the table `users` have of it, (N,), at what was played: 0 epochs where nothing was.

        `user_utility`, `exploitability`, shares, and `cost`: money for the whole minting at these efforts, of which
        `privacy_cost` is for ε.
        """


@dataclass(frozen=True)
class Decision(Agreement):
    """What a decision phase came to: the last exchange, who took part in it, what it cost in time."""

    buyers: tuple[int, ...]
    """Numbers of the M providers that priced, in the order of the arrays (M,)."""
    problem: DecisionProblem
    step: DecisionStep
    seconds: float
    settled: bool | None = None
    """Whether prices settled before the decision period was over; None where no decision was held on the clock."""

    @property
    def answers(self) -> Answers:
        """The users' answers to the last prices."""
        return Answers(self.step.takes_part, self.step.epochs, self.step.privacy)

    @cached_property
    def believed_rivals_money(self) -> Floats:
        """What each provider believes all others bid together: (M,) money."""
        known = self.step.quality_money, self.step.freshness_money  # where valuations are
        quality, freshness = self.problem.providers.beliefs or known
        everyone = quality + freshness
        return everyone.sum() - everyone

    @property
    def rewards(self) -> Floats:
        """Σ_j δ_ij as announced, all providers counted as paying: (N,) money."""
        step = self.step
        return step.quality_money.sum() * step.quality_shares + step.freshness_money.sum() * step.freshness_shares

    def told(self) -> dict[str, Any]:
        """Exchanges held, how far prices had settled, and the quality and freshness that answers promise."""
        step = self.step
        return {
            "iterations": step.iteration,
            "decision_gap": step.gap if np.isfinite(step.gap) else float("nan"),
            "decision_settled": self.settled,
            "quality": step.quality,
            "freshness": step.freshness,
        }

    def columns(self, epochs: Floats, privacy: Floats) -> dict[str, Any]:
        """Utility Φ_i (Eq. 14), what the best answer would have added, and shares of both kinds of money."""
        played = np.maximum(epochs, 1.0), privacy
        terms = terms_for_all(self.problem, self.step)
        return {
            "quality_share": self.step.quality_shares,
            "freshness_share": self.step.freshness_shares,
            # Φ(0, 0) = 0: who did nothing has the money alone, which Φ does not count
            "user_utility": np.where(epochs > 0, self.problem.utility(self.rewards, *played), 0.0),
            "cost": self.problem.cost(epochs, privacy),
            "privacy_cost": self.problem.users.privacy_costs * privacy,
            "exploitability": user_exploitability(terms, epochs, privacy),
        }
