"""How a DAO turns its users' models into one: the signature, the registry and the one weighted mean."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from flnft_sim import families
from flnft_sim.errors import InputError
from flnft_sim.registry import Registry

State = dict[str, Any]  # what an aggregator remembers between the rounds of one run; starts empty


class AggregationError(InputError):
    """Updates that cannot be aggregated."""


@dataclass(frozen=True, kw_only=True)
class AggregatorFacts:
    """What a scenario must know of an aggregator before anything runs; registered with it as its `facts`."""

    users_for: Callable[[int], int] | None = None
    """Of how many users at the least so many may be adversaries; None where any number will do."""
    weighs: Callable[[np.ndarray], np.ndarray] | None = None
    """Shard sizes (n,) -> weights (n,), where the result is the models' mean by weights that no model moves; None where
    an aggregator must see all models at once. Such a mean can be taken of one model after the other."""


type Aggregator = Callable[..., np.ndarray]
"""(start, user_params, sizes, /, *, users, state) -> the model of the users that arrived.

`start` (P,) is what they trained from, `user_params` (n, P) what they sent (noised), `sizes` (n,) their shards,
`users` (n,) their rising numbers, `state` the aggregator's own memory. Returns (P,) float32. n is at least 1. An
aggregator that was registered with settings takes the keyword `settings`, too.
"""

AGGREGATORS: Registry[Aggregator] = families.AGGREGATORS


class RunningMean:
    """The mean of n models of P parameters by weights (n,) scaled to sum 1, told in that order, some at a time.

    Float64, one model after the other: how many are told at a time changes no bit.
    """

    def __init__(self, parameters: int, weights: np.ndarray) -> None:
        self._total, self._shares = np.zeros(parameters), iter(weights / weights.sum())

    def add(self, user_params: np.ndarray) -> None:
        """Tell the next models (m, P)."""
        for row in user_params:
            self._total += next(self._shares) * row

    @property
    def model(self) -> np.ndarray:
        """The mean (P,) float32, once all are told."""
        return self._total.astype(np.float32)


def weighted_mean(user_params: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average models (n, P) with weights (n,) scaled to sum 1, as `RunningMean` does."""
    mean = RunningMean(user_params.shape[1], weights)
    mean.add(user_params)
    return mean.model


def aggregate(
    name: str,
    start: np.ndarray,
    user_params: np.ndarray,
    sizes: np.ndarray,
    *,
    users: np.ndarray,
    state: State,
    **told: Any,
) -> np.ndarray:
    """Combine models by a registered aggregator that is told its settings; with no model arrived the start stays.

    Users are taken in the order of their numbers, so that the order of arrival changes no bit.
    """
    combine, given = AGGREGATORS.get(name), AGGREGATORS.given(name, **told)
    n = len(user_params)
    if user_params.shape != (n, *start.shape) or sizes.shape != (n,) or users.shape != (n,):
        raise AggregationError(
            f"aggregator {name}: models {user_params.shape}, sizes {sizes.shape} and users {users.shape} do not fit "
            f"a start of shape {start.shape}"
        )
    if n == 0:
        return start
    if sizes.min() <= 0:
        raise AggregationError(f"aggregator {name}: shard sizes {sizes.tolist()} must be positive")
    if (np.diff(users) < 0).any():
        order = np.argsort(users, kind="stable")
        user_params, sizes, users = user_params[order], sizes[order], users[order]
    return combine(start, user_params, sizes, users=users, state=state, **given)
