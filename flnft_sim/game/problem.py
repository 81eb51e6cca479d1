"""A round's decision: what is known before it, and the state after an exchange of prices and answers."""

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.checks import OutOfRangeError, not_negative, within
from flnft_sim.errors import InputError
from flnft_sim.game.answers import UserTerms
from flnft_sim.game.errors import EmptyMarketError, ValuationError
from flnft_sim.game.incentives import Incentives
from flnft_sim.game.pricing import Demand
from flnft_sim.game.responses import rounded_epochs, unrounded_answer
from flnft_sim.game.rewards import share_out
from flnft_sim.game.utilities import ProviderForm, fairness_in_range


@dataclass(frozen=True)
class Users:
    """What is known of N users: (N,) arrays; costs are money for the whole minting (κ·C)."""

    quality_contributions: Floats
    fixed_age_s: Floats  # expected upload and consensus
    seconds_per_epoch: Floats
    compute_costs: Floats
    privacy_costs: Floats
    epochs_max: Floats
    last_epochs: Floats


@dataclass(frozen=True)
class Providers:
    """What is known of M providers: (M,) arrays; beliefs are money per dimension, None where valuations are known."""

    valuations_quality: Floats
    valuations_freshness: Floats
    budgets: Floats
    elasticity_ratio: Floats
    believed_quality_money: Floats | None
    believed_freshness_money: Floats | None

    @property
    def beliefs(self) -> tuple[Floats, Floats] | None:
        """What is believed of each one's money for quality and for freshness; None where valuations are known."""
        if self.believed_quality_money is None or self.believed_freshness_money is None:
            return None
        return self.believed_quality_money, self.believed_freshness_money


NAMES: dict[type, tuple[str, ...]] = {side: tuple(each.name for each in fields(side)) for side in (Users, Providers)}
BELIEFS = ("believed_quality_money", "believed_freshness_money")


@dataclass(frozen=True, kw_only=True)
class DecisionProblem:
    """What is known before a round's decision; one number stands for all users, or for all providers.

    `fixed_age_s` is the expected upload plus consensus; costs are money for the whole minting (κ·C). Providers' beliefs
    are money per dimension and provider, as the public ledger suggests it; with `None` providers know each other's
    valuations and play the equilibrium. Providers who want different FL-NFTs make one problem per FL-NFT.

    `user_reply`: a price-taking user answers the reward as if its epochs did not move it (the paper's Eq. 22); with
    `own-age` it counts that training longer makes its own update older. `damping`: none, and exchanges settle as fast
    as they can; a number, and foreseen answers move at most that part of the way in one exchange.

    `provider_utility` is the form of Ψ (`provider_utility`). `leadership`: simultaneous providers take users' answers
    as given (the paper's Eq. 29); anticipating ones count how these move with their prices.

    `incentives`: none, and users have the paper's utility, cost and reward, answered in closed form; others are
    answered numerically, by users who count their own age. `contracted_privacy`: the ε (N,) that users are bound to,
    NaN where one is free to choose within `privacy_range`; none, and all are. `insisted`: prices (M,) for quality and
    for freshness from which a provider does not move, NaN where it plays.
    """

    quality_contributions: ArrayLike
    fixed_age_s: ArrayLike
    seconds_per_epoch: ArrayLike
    compute_costs: ArrayLike
    privacy_costs: ArrayLike
    epochs_max: ArrayLike
    valuations_quality: ArrayLike
    valuations_freshness: ArrayLike
    budgets: ArrayLike
    elasticity_ratio: ArrayLike = 1.0
    believed_quality_money: ArrayLike | None = None
    believed_freshness_money: ArrayLike | None = None
    last_epochs: ArrayLike = 5.0
    fairness: float = 0.5
    privacy_range: tuple[float, float] = (1.0, 5.0)
    freshness_horizon_s: float = 100.0
    reserve: float = 0.0
    damping: float | None = None
    reward_expectation: Literal["announced", "expected"] = "announced"
    user_reply: Literal["price-taking", "own-age"] = "price-taking"
    provider_utility: ProviderForm = "printed"
    leadership: Literal["simultaneous", "anticipating"] = "simultaneous"
    incentives: Incentives | None = None
    contracted_privacy: Floats | None = None
    insisted: tuple[Floats, Floats] | None = None

    def __post_init__(self) -> None:
        fairness_in_range(self.fairness)
        if self.damping is not None:
            within("damping", self.damping, above=0.0, at_most=1.0)
        not_negative("reserve", self.reserve)
        _one_of("reward_expectation", self.reward_expectation, ("announced", "expected"))
        _one_of("user_reply", self.user_reply, ("price-taking", "own-age"))
        _one_of("provider_utility", self.provider_utility, ("printed", "money"))
        _one_of("leadership", self.leadership, ("simultaneous", "anticipating"))
        self._refuse_blind_leaders()
        if self.incentives is not None and self.user_reply != "own-age":
            raise InputError("user_reply 'price-taking' is the paper's closed form; other incentives need 'own-age'")
        if self.incentives is not None and self.contracted_privacy is not None:
            raise InputError(
                "contracted_privacy binds users of the paper's closed form; other incentives choose freely"
            )
        beliefs = tuple(name for name in BELIEFS if getattr(self, name) is not None)
        if len(beliefs) == 1:
            raise InputError(f"only {beliefs[0]} is given; give beliefs about both dimensions, or none")
        self._refuse_nobody()
        self._size_all(Users, "users", np.size(self.quality_contributions))
        self._size_all(Providers, "providers", np.size(self.valuations_quality))

    @classmethod
    def of_known(cls, **known: Any) -> Self:
        """The problem of numbers that are checked already, in arrays of floats, (N,) and (M,), that stay as they are.

        A run poses thousands, from what it has checked once and measured itself; whatever else is given to
        `DecisionProblem(...)`, which checks and copies it.
        """
        problem = object.__new__(cls)
        vars(problem).update(known)
        problem._refuse_nobody()
        return problem

    def insisting(self, quality: Floats, freshness: Floats) -> Self:
        """The same problem with prices (M,) from which providers do not move, NaN for those who play."""
        problem = object.__new__(type(self))
        vars(problem).update(vars(self), insisted=(quality, freshness))
        return problem

    def _refuse_nobody(self) -> None:
        for who, name in (("users", "quality_contributions"), ("providers", "valuations_quality")):
            if np.size(getattr(self, name)) == 0:
                raise EmptyMarketError(f"{name} is empty; a decision needs at least one of the {who}")

    def _refuse_blind_leaders(self) -> None:
        if self.leadership == "simultaneous":
            return
        if self.incentives is not None or self.damping is not None or self.reward_expectation != "announced":
            raise InputError(
                "leadership 'anticipating' foresees answers in closed form to announced rewards; use it with the "
                "paper's incentives, without damping, and with reward_expectation 'announced'"
            )

    def _size_all(self, side: type, who: str, count: int) -> None:
        """Check the fields of one side of the market and make each that is given an array (count,)."""
        for name in (each for each in NAMES[side] if getattr(self, each) is not None):
            error = ValuationError if name.startswith("valuations") else OutOfRangeError
            values = not_negative(name, getattr(self, name), error=error)
            if values.shape not in ((), (1,), (count,)):
                raise InputError(f"{name} has shape {values.shape}; give one number, or {count} for the {count} {who}")
            # a copy: what was known stays as it was while the caller's arrays go on learning
            object.__setattr__(self, name, np.broadcast_to(values, (count,)).copy())

    @cached_property
    def users(self) -> Users:
        """The users' side, one entry each."""
        return self._side(Users)

    @cached_property
    def providers(self) -> Providers:
        """The providers' side, one entry each."""
        return self._side(Providers)

    def _side[T](self, side: type[T]) -> T:
        return side(*[getattr(self, name) for name in NAMES[side]])

    @cached_property
    def most_epochs(self) -> Floats:
        """The whole epochs (N,) that each user can finish; who cannot finish one is asked about one."""
        return np.maximum(1.0, np.floor(self.users.epochs_max))

    @cached_property
    def least_cost(self) -> Floats:
        """What the least effort costs each user (N,): one epoch at the lowest ε."""
        return self.users.compute_costs + self.users.privacy_costs * self.privacy_limits[0]

    @property
    def privacy_limits(self) -> tuple[float | Floats, float | Floats]:
        """The ends of the ε that each user can choose from: two numbers, or arrays (N,) where some are bound."""
        if self.contracted_privacy is None:
            return self.privacy_range
        bound, (low, high) = self.contracted_privacy, self.privacy_range
        return np.where(np.isnan(bound), low, bound), np.where(np.isnan(bound), high, bound)

    def cost(self, epochs: Floats, privacy: Floats) -> Floats:
        """C (N,) in money for the whole minting (Eq. 5)."""
        compute, for_privacy = self.users.compute_costs, self.users.privacy_costs
        if self.incentives is not None:
            return self.incentives.cost(epochs, privacy, compute, for_privacy)
        return compute * epochs + for_privacy * privacy

    def utility(self, rewards: Floats, epochs: Floats, privacy: Floats) -> Floats:
        """Φ (N,) (Eq. 14)."""
        if self.incentives is not None:
            return self.incentives.utility(rewards, epochs, privacy, self.cost(epochs, privacy))
        rest = 1.0 - self.fairness
        return rewards * (epochs**rest / rest + privacy**rest / rest) - self.cost(epochs, privacy)

    def weights(self, contributions: Floats) -> Floats:
        """What contributions (N,) of one dimension weigh when money is shared (Eq. 13)."""
        return contributions if self.incentives is None else self.incentives.weights(contributions)

    @property
    def demand(self) -> Demand:
        """What drives the providers' prices."""
        known = self.providers
        return Demand(
            valuations_quality=known.valuations_quality,
            valuations_freshness=known.valuations_freshness,
            budgets=known.budgets,
            elasticity_ratio=known.elasticity_ratio,
            reserve=self.reserve,
            form=self.provider_utility,
        )


def _one_of(name: str, value: str, choices: tuple[str, str]) -> None:
    if value not in choices:
        raise InputError(f"{name} is {value!r}; choose {choices[0]!r} or {choices[1]!r}")


@dataclass(frozen=True, kw_only=True)
class DecisionStep:
    """The state after one exchange. Users who stay out have no share, and their answer is what they would do.

    `freshness` is what the prices answer, `answered_freshness` what the users' foreseen epochs add up to: one and the
    same when settled. `epochs` is the answer in whole epochs. `gap` is the largest relative change of any price or
    answer, infinite in the first step. What only the last step is asked for is computed when asked for.
    """

    problem: DecisionProblem
    iteration: int
    quality_prices: Floats
    freshness_prices: Floats
    quality_money: Floats
    freshness_money: Floats
    foreseen_epochs: Floats
    takes_part: Bools
    total_rewards: Floats
    quality_shares: Floats
    freshness_shares: Floats
    quality: float
    freshness: float
    answered_freshness: float
    terms: UserTerms
    gap: float

    def noted(self, **notes: Any) -> "DecisionStep":
        """The same exchange with other `iteration`, `gap` or `takes_part`: what was computed of it is not lost."""
        step = replace(self, **notes)
        vars(step).update({name: value for name, value in vars(self).items() if name not in vars(step)})
        return step

    @cached_property
    def unrounded_epochs(self) -> Floats:
        """x* (N,), where a user's marginal benefit meets its cost at the reward that it counts on."""
        wished: Floats = unrounded_answer(
            self.total_rewards, self.problem.users.compute_costs, fairness=self.problem.fairness
        )
        return wished

    @cached_property
    def epochs(self) -> Ints:
        """k* (N,), whole for training: the better neighbour of the real one (Eq. 23), or the best of all by own age."""
        if self.problem.user_reply == "own-age":
            return self.terms.own_age_epochs
        rounded: Ints = rounded_epochs(
            self.unrounded_epochs,
            self.total_rewards,
            self.problem.users.compute_costs,
            fairness=self.problem.fairness,
            epochs_max=self.problem.users.epochs_max,
        )
        return rounded

    @cached_property
    def privacy(self) -> Floats:
        """ε* (N,) within its range (Eq. 22), for the reward that the user counts on."""
        own = self.problem.user_reply == "own-age"
        return self.terms.own_age_privacy if own else self.terms.privacy(self.total_rewards)

    @cached_property
    def utilities(self) -> Floats:
        """Φ (N,) at the answers (Eq. 14), by the reward that the user counts on."""
        if self.problem.user_reply == "own-age":
            return self.terms.own_age_utilities
        return self.problem.utility(self.total_rewards, self.epochs.astype(np.float64), self.privacy)

    @property
    def rewards(self) -> Floats:
        """δ_ij in money, (N, M) (Eq. 13), as announced; N·M may not fit in memory."""
        return share_out(self.quality_money, self.quality_shares) + share_out(
            self.freshness_money, self.freshness_shares
        )
