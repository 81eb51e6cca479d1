"""The Shapley value from sampled orders: GTG-Shapley (Liu et al. 2022, Algorithm 1).

Of updates that are trained already, coalitions are averages, and nobody trains again. Orders are drawn in blocks: a
random one and its n rotations, so that in each block every user comes first once, as the publication guides its
sampling, and also stands once in every other place. Blocks are independent: standard errors are those of their means.
Where there are fewer coalitions than the first blocks would ask of, the value is exact.
"""

import numpy as np

from flnft_sim.arrays import Floats, Ints
from flnft_sim.game.contribution.base import CONTRIBUTIONS, Arrivals, Measured, MeasureFacts
from flnft_sim.game.contribution.shapley_exact import shapley_values
from flnft_sim.settings.game import ShapleySettings

LEAST_BLOCKS = 10  # of orders, before a standard error is believed


@CONTRIBUTIONS.register("shapley", settings=ShapleySettings, facts=MeasureFacts(sampled=True))
def shapley(arrived: Arrivals, *, settings: ShapleySettings) -> Measured:
    """φ_i as the mean of what a user adds in random orders, in nats, with its standard error.

    A whole round that is worth at most `shapley_truncation` is nobody's (truncation between rounds), and so is what is
    left of an order once the users so far are worth the whole but for that (within a round): values add up to v(N)
    within it. Sampling stops once the largest standard error is `shapley_error` of the largest value, or after
    `shapley_orders` orders.
    """
    n = len(arrived)
    whole = float(arrived.worth(np.ones((1, n), dtype=bool))[0])
    if abs(whole) <= settings.shapley_truncation:
        return Measured.exactly(np.zeros(n))
    if 2**n <= LEAST_BLOCKS * n**2:
        return Measured.exactly(shapley_values(arrived.worth, n))
    blocks, most = np.empty((0, n)), max(LEAST_BLOCKS, settings.shapley_orders // n)
    while True:
        more = min(max(LEAST_BLOCKS, len(blocks) // 2), most - len(blocks))
        orders = _rotations(np.array([arrived.rng.permutation(n) for _ in range(more)]))
        gains = _gains(arrived, orders, whole, settings.shapley_truncation)
        blocks = np.concatenate([blocks, gains.reshape(more, n, n).mean(axis=1)])
        values, errors = blocks.mean(axis=0), blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks))
        if len(blocks) >= most or errors.max() <= settings.shapley_error * np.abs(values).max():
            return Measured(values, errors)


def _rotations(orders: Ints) -> Ints:
    """Return each order (b, n) in all its rotations, (b·n, n), those of an order in a row."""
    n = orders.shape[1]
    places = (np.arange(n)[:, None] + np.arange(n)) % n
    return orders[:, places].reshape(-1, n)


def _gains(arrived: Arrivals, orders: Ints, whole: float, truncation: float) -> Floats:
    """Return what each user adds in each of the orders (m, n) when its turn comes: (m, n), by user.

    All orders take their steps together; those whose users so far are worth the whole take no more.
    """
    m, n = orders.shape
    gains, so_far, within = np.zeros((m, n)), np.zeros(m), np.zeros((m, n), dtype=bool)
    for place in range(n):
        going = np.flatnonzero(np.abs(whole - so_far) > truncation)
        if not len(going):
            break
        joining = orders[going, place]
        within[going, joining] = True
        worth = arrived.worth(within[going])
        gains[going, joining] = worth - so_far[going]
        so_far[going] = worth
    return gains
