"""The Shapley value as it is defined: over all coalitions, for a few users."""

from math import factorial

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.errors import InputError
from flnft_sim.game.contribution.base import CONTRIBUTIONS, Arrivals, Measured, MeasureFacts, Worth

MOST_USERS = 12  # 4,096 coalitions


@CONTRIBUTIONS.register("shapley-exact", facts=MeasureFacts(most_users=MOST_USERS))
def shapley_exact(arrived: Arrivals) -> Measured:
    """φ_i = Σ_{S ∌ i} |S|!(n−|S|−1)!/n! · (v(S∪i) − v(S)), in nats (Shapley 1953)."""
    return Measured.exactly(shapley_values(arrived.worth, len(arrived)))


def shapley_values(worth: Worth, users: int) -> Floats:
    """Return the Shapley values (n,) of a game of n users; raises `InputError` beyond `MOST_USERS`."""
    if users > MOST_USERS:
        raise InputError(
            f"exact Shapley values of {users} users take {2**users:,} coalitions; have at most {MOST_USERS}, or use "
            "'shapley', which samples orders"
        )
    numbers = np.arange(2**users)
    within = (numbers[:, None] >> np.arange(users) & 1).astype(bool)
    values, sizes = worth(within), within.sum(axis=1)
    weights = np.array([factorial(s) * factorial(users - s - 1) / factorial(users) for s in range(users)])
    return np.array(
        [_mean_gain(values, weights, sizes, without=numbers[~within[:, i]], bit=1 << i) for i in range(users)]
    )


def _mean_gain(values: Floats, weights: Floats, sizes: np.ndarray, *, without: np.ndarray, bit: int) -> float:
    """What joining the coalitions of the numbers `without` adds, by the weights of their sizes."""
    return float((weights[sizes[without]] * (values[without | bit] - values[without])).sum())
