"""Who trains in a round, for how many epochs, with how much noise: what a scheme is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from flnft_sim import families
from flnft_sim.errors import InputError
from flnft_sim.late import late
from flnft_sim.registry import Registry

type Ranking = Literal["loss", "gradient-norm"]


class SchemeError(InputError):
    """A round that a scheme cannot decide."""


@late("rng")
@dataclass(frozen=True, kw_only=True)
class SchemeContext:
    """What a scheme may look at in one round. Arrays are (n,), one entry a user of `users`."""

    users: np.ndarray  # the users' numbers
    rng: np.random.Generator
    answers_epochs: np.ndarray | None = None  # best responses k_i*, where the scheme plays the game
    answers_privacy: np.ndarray | None = None  # best responses ε_i*
    takes_part: np.ndarray | None = None  # bool: whose best utility is not negative
    ranking: np.ndarray | None = None  # current loss or gradient norm, where the scheme ranks
    round_share: float = 1.0  # of the users that a ranking scheme takes, in (0, 1]
    fixed_epochs: int = 5  # k⁰
    privacy_range: tuple[float, float] = (1.0, 5.0)


@dataclass(frozen=True)
class Participation:
    """Who trains: `users` (m,) numbers, `epochs` (m,) int64, `privacy` (m,) budgets ε (∞: no noise)."""

    users: np.ndarray
    epochs: np.ndarray
    privacy: np.ndarray


class Scheme(ABC):
    """A way to run rounds; the attributes tell the simulation what to prepare for `choose`."""

    name: ClassVar[str]
    plays_game: ClassVar[bool] = False  # prices and best responses every round
    ranks_by: ClassVar[Ranking | None] = None  # a pass over local data before the choice, on the clock
    adds_noise: ClassVar[bool] = True
    centralized: ClassVar[bool] = False  # all data in one place

    @abstractmethod
    def choose(self, context: SchemeContext) -> Participation:
        """Decide one round; draws come from `context.rng` alone."""


SCHEMES: Registry[type[Scheme]] = families.SCHEMES


def random_privacy(context: SchemeContext) -> np.ndarray:
    """Draw ε uniformly for *every* user, chosen or not, so that schemes share common random numbers (§6.2)."""
    return context.rng.uniform(*context.privacy_range, len(context.users))


def largest_ranked(context: SchemeContext) -> Participation:
    """Take the share of users with the largest ranking, k = k⁰ each and a random ε; ties go to the lower number."""
    if context.ranking is None or context.ranking.shape != context.users.shape:
        raise SchemeError("a ranking scheme needs one rank value a user in `ranking`")
    if not 0 < context.round_share <= 1:
        raise SchemeError(f"round_share {context.round_share} must be in (0, 1]")
    privacy = random_privacy(context)
    count = max(1, round(context.round_share * len(context.users)))
    chosen = np.sort(np.argsort(-context.ranking, kind="stable")[:count])
    return Participation(context.users[chosen], np.full(len(chosen), context.fixed_epochs, np.int64), privacy[chosen])
