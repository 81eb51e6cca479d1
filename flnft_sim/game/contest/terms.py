"""What users compete by: whose work counts how much, what it costs, and within which ranges it lies."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.checks import not_negative, positive, within
from flnft_sim.errors import InputError


@dataclass(frozen=True, kw_only=True)
class ScoreFreshness:
    """How a score falls with the age T = T⁰ + d·k of an update: by the factor max(0, 1 − T/T_ref)^w.

    `exponent` is w ≥ 0. `fixed_age_s` T⁰ and `seconds_per_epoch` d are seconds, one number or one a user; `horizon_s`
    is T_ref in seconds.
    """

    exponent: float
    fixed_age_s: ArrayLike
    seconds_per_epoch: ArrayLike
    horizon_s: float

    def __post_init__(self) -> None:
        not_negative("exponent", self.exponent)
        not_negative("fixed_age_s", self.fixed_age_s, "s")
        not_negative("seconds_per_epoch", self.seconds_per_epoch, "s")
        positive("horizon_s", self.horizon_s, "s")

    def of(self, users: Ints, count: int) -> "ScoreFreshness":
        """That of some of `count` users, who may stand twice."""
        fixed = np.broadcast_to(np.asarray(self.fixed_age_s, dtype=float), count)[users]
        slope = np.broadcast_to(np.asarray(self.seconds_per_epoch, dtype=float), count)[users]
        return replace(self, fixed_age_s=fixed, seconds_per_epoch=slope)

    def kept(self, epochs: ArrayLike) -> Floats:
        """The factor (N,) that an update of k epochs keeps of its score."""
        age = np.asarray(self.fixed_age_s) + np.asarray(self.seconds_per_epoch) * np.asarray(epochs)
        return np.asarray(np.maximum(0.0, 1.0 - age / self.horizon_s) ** self.exponent)


@dataclass(frozen=True, kw_only=True)
class ContestTerms:
    """What N users compete by for a pot, all but the pot.

    User i's score is c_i = θ_i·k_i^a·ε_i^b·max(0, 1 − T_i/T_ref)^w and its cost C_i^c·k_i + C_i^p·ε_i. `scores` are θ,
    (N,); `compute_cost` is money per epoch a round and `privacy_cost` per unit of ε, both for the whole minting (κ·C
    over all rounds), one number or (N,). The ends of `epochs_range` are numbers or (N,), those of `privacy_range`
    numbers. `freshness` None is w = 0. Raises `InputError` for numbers out of range.

    Who has no score whatever it does (θ = 0, too old after the least epochs, or no time for these) stays out.
    """

    scores: ArrayLike
    compute_cost: ArrayLike
    privacy_cost: ArrayLike
    a: float
    b: float
    epochs_range: tuple[ArrayLike, ArrayLike]
    privacy_range: tuple[float, float]
    freshness: ScoreFreshness | None = None

    def __post_init__(self) -> None:
        within("a", self.a, above=0.0, at_most=1.0)
        within("b", self.b, at_least=0.0, at_most=1.0)
        if self.a + self.b > 1.0:
            raise InputError(
                f"a + b = {self.a + self.b:g}: a score with returns above 1 has no equilibrium; "
                "let them sum up to 1 at most"
            )
        shape = np.shape(self.scores)
        if len(shape) != 1:
            raise InputError(f"scores have shape {shape}; give one number a user")
        for name, checked in (("scores", not_negative), ("compute_cost", positive), ("privacy_cost", not_negative)):
            values = checked(name, getattr(self, name))
            if values.shape not in ((), (1,), shape):
                raise InputError(f"{name} has shape {values.shape}; give one number, or {shape[0]} for the users")
            object.__setattr__(self, name, np.broadcast_to(values, shape))
        for name in ("epochs_range", "privacy_range"):
            object.__setattr__(self, name, _range(name, getattr(self, name)))

    def __len__(self) -> int:
        return len(self.theta)

    def of(self, users: Ints) -> "ContestTerms":
        """The terms of some users, who may stand twice."""
        low, high = (np.broadcast_to(np.asarray(end, dtype=float), len(self))[users] for end in self.epochs_range)
        return replace(
            self,
            scores=self.theta[users],
            compute_cost=self.compute[users],
            privacy_cost=self.privacy[users],
            epochs_range=(low, high),
            freshness=None if self.freshness is None else self.freshness.of(users, len(self)),
        )

    @property
    def theta(self) -> Floats:
        """θ (N,)."""
        return np.asarray(self.scores, dtype=float)

    @property
    def compute(self) -> Floats:
        """C^c (N,)."""
        return np.asarray(self.compute_cost, dtype=float)

    @property
    def privacy(self) -> Floats:
        """C^p (N,)."""
        return np.asarray(self.privacy_cost, dtype=float)

    @property
    def least_epochs(self) -> Floats:
        """The lower end of k, (N,)."""
        return np.broadcast_to(self.epochs_range[0], len(self))

    @cached_property
    def most_epochs(self) -> Floats:
        """The upper end of k, (N,): where the score rises no more, if that is sooner.

        d ln c/dk = a/k − w·d/(T_ref − T) is 0 at k = a·(T_ref − T⁰)/(d·(a + w)); up to there the score is concave, and
        to train longer would cost more and count less.
        """
        most = np.broadcast_to(self.epochs_range[1], len(self))
        if self.ageing is None:
            return most
        exponent, slope, room = self.ageing
        with np.errstate(divide="ignore"):
            peak = self.a * np.maximum(room, 0.0) / (slope * (self.a + exponent))
        return np.maximum(self.least_epochs, np.minimum(most, peak))

    @property
    def most_whole_epochs(self) -> Floats:
        """The largest whole k, (N,): beyond the peak of a score by less than one at most."""
        most = np.broadcast_to(np.asarray(self.epochs_range[1], dtype=float), len(self))
        return np.floor(np.minimum(most, np.ceil(self.most_epochs)))

    @cached_property
    def ageing(self) -> tuple[float, Floats, Floats] | None:
        """w, d/T_ref and 1 − T⁰/T_ref, (N,) each: kept is (room − slope·k)^w; None where age plays no part."""
        if (fresh := self.freshness) is None or fresh.exponent == 0.0:
            return None
        slope = np.broadcast_to(np.asarray(fresh.seconds_per_epoch, dtype=float) / fresh.horizon_s, len(self))
        room = np.broadcast_to(1.0 - np.asarray(fresh.fixed_age_s, dtype=float) / fresh.horizon_s, len(self))
        return fresh.exponent, slope, room

    @cached_property
    def able(self) -> Bools:
        """Who has a score at all, (N,)."""
        least = self.least_epochs
        able = (self.theta > 0) & (np.broadcast_to(self.epochs_range[1], len(self)) >= least)
        if self.ageing is not None:
            _, slope, room = self.ageing
            able &= room - slope * least > 0
        return able

    def score(self, epochs: ArrayLike, privacy: ArrayLike) -> Floats:
        """c (N,), 0 where k is 0."""
        k, e = np.asarray(epochs, dtype=float), np.asarray(privacy, dtype=float)
        counted = self.theta * np.where(k > 0, k, 0.0) ** self.a * np.where(e > 0, e, 1.0) ** self.b
        return counted if self.freshness is None else counted * self.freshness.kept(k)

    def cost(self, epochs: ArrayLike, privacy: ArrayLike) -> Floats:
        """C^c·k + C^p·ε (N,), money."""
        return self.compute * np.asarray(epochs, dtype=float) + self.privacy * np.asarray(privacy, dtype=float)

    def cash(self, pot: float, epochs: ArrayLike, privacy: ArrayLike) -> Floats:
        """What each user (N,) keeps of the pot after its costs, money."""
        return pot * score_shares(self.score(epochs, privacy)) - self.cost(epochs, privacy)


def score_shares(scores: ArrayLike) -> Floats:
    """c_i/Σc (N,), zeros where nobody has a score."""
    counted = not_negative("scores", scores)
    return counted / counted.sum() if counted.any() else np.zeros_like(counted)


def _range(name: str, limits: tuple[ArrayLike, ArrayLike]) -> tuple[Floats, Floats]:
    low, high = (positive(f"{name}[{end}]", limits[end]) for end in (0, 1))
    if low.ndim == high.ndim == 0 and low > high:
        raise InputError(f"{name} = ({low:g}, {high:g}): the first must not be above the second")
    return low, high
