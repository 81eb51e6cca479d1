"""From any belief to a distribution over money: one rule for all kinds, so that scores compare what kinds know.

A possible bid v of a prediction is one number that stands for many. Its probability is spread as past bids lay about
what then stood for them:

    density = Σ_parts w Σ_i p_i · mean over s in G_i of δ(v_i + r_s)

* of several values, v_i stands for the past bids between its edges: G_i are these, r_s = x_s − v_i, so that level i's
  probability lies on the past bids x_s that fell into it, whenever its value was drawn;
* a single value stands for every bid: G is all past auctions, r_s = x_s − v_s, the error of what this part named then.

A bid below 0 counts as 0. Nothing else tells kinds apart: a part that always names c, and one of a single level, both
lie on all past bids.
"""

from collections.abc import Sequence

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.game.beliefs import Part

Forecast = tuple[Part, ...]  # a prediction in its parts


def mean_bid(forecast: Forecast) -> float:
    """The expected bid of a forecast, in money."""
    return sum(part.weight * part.mean for part in forecast)


def density(forecast: Forecast, before: Sequence[Forecast], bids: Floats) -> tuple[Floats, Floats]:
    """Points (n,) in money and their weights (n,), which sum to 1.

    `bids` (t,) are the past ones, of which there must be at least one; `before` are the t forecasts of them.
    """
    points, weights = [], []
    for number, part in enumerate(forecast):
        if part.values.size > 1:
            places, shares = _over_past_bids(part, bids)
        else:
            errors = bids - np.array([past[number].mean for past in before])
            places, shares = part.values[0] + errors, np.full(bids.size, 1.0 / bids.size)
        points.append(places)
        weights.append(part.weight * shares)
    return np.maximum(0.0, np.concatenate(points)), np.concatenate(weights)


def _over_past_bids(part: Part, bids: Floats) -> tuple[Floats, Floats]:
    """Every past bid with its share of its level's probability; a level without one keeps its value."""
    level = np.searchsorted(part.edges, bids, side="left")
    count = np.bincount(level, minlength=part.values.size)
    empty = count == 0
    shares = part.probabilities[level] / count[level]
    return np.concatenate((bids, part.values[empty])), np.concatenate((shares, part.probabilities[empty]))
