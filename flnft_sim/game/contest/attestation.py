"""Which epochs count: attested ones, each update once, each data set under one name, over a whole minting.

k and ε are claims. A pot that is shared by claims pays who claims and does not train, so what a score counts is
*attested*, in one of three ways:

- `arrival`: an update that was final in time counts as claimed. Nothing is checked.
- `loss-drop`: it counts as the epochs that the fall of the validation loss by it alone accounts for, at most the claim.
- `enclave`: some rounds, drawn when all are over, are trained anew inside the user's own trusted enclave from a
  committed seed; nobody else sees the data. Whose update differs in one of these has no score in the whole minting.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Bools, Floats, plain
from flnft_sim.checks import finite, not_negative, whole, within
from flnft_sim.errors import InputError

ATTESTATIONS = ("arrival", "loss-drop", "enclave")
IDENTICAL = 0.01  # distance of two updates as a part of the longer: less is one update sent twice


def epochs_by_arrival(claimed: ArrayLike, arrived: ArrayLike) -> Floats:
    """The claimed epochs of what arrived, 0 of what did not; arrays broadcast."""
    return np.where(np.asarray(arrived, dtype=bool), not_negative("claimed", claimed), 0.0)


def epochs_by_loss_drop(claimed: ArrayLike, drops: ArrayLike, expected_drops: ArrayLike) -> Floats:
    """The epochs (N,) that falls of the validation loss (N,) account for, at most those claimed (N,).

    `expected_drops` (K + 1,) is by how much an update of 0, 1, … K epochs lowers the loss, as the surrogate or past
    rounds have it: 0 at first, and rising. Between whole epochs it is straight. An update that raises the loss counts
    as none. Raises `InputError` where the expected drops do not rise.
    """
    expected = finite("expected_drops", expected_drops)
    if expected.ndim != 1 or expected.size < 2 or expected[0] != 0.0 or np.any(np.diff(expected) <= 0):
        raise InputError("expected_drops do not rise from 0; give the fall of the loss for 0, 1, … epochs")
    accounted = np.interp(finite("drops", drops), expected, np.arange(expected.size))
    return np.minimum(not_negative("claimed", claimed), accounted)


def epochs_by_enclave(claimed: ArrayLike, trained: ArrayLike, sampled: ArrayLike) -> Floats:
    """The claimed epochs (R, N) of R rounds; none at all of whom a sampled round (R, N) shows to have trained others.

    `trained` (R, N) are the epochs behind the updates; what was not sampled is not looked at.
    """
    claims, done = not_negative("claimed", claimed), not_negative("trained", trained)
    caught = np.any((claims != done) & np.asarray(sampled, dtype=bool), axis=0)
    return np.where(caught, 0.0, claims)


def enclave_seconds(
    epochs: ArrayLike, seconds_per_epoch: ArrayLike, *, sampled_rounds: int, slowdown: float = 1.0
) -> Any:
    """Seconds (N,) that training the sampled rounds anew takes each user, epochs being a round's; arrays broadcast.

    `slowdown` says how many times slower an enclave is than the device beside it, at least 1.
    """
    slower = within("slowdown", slowdown, at_least=1.0)
    rounds = whole("sampled_rounds", sampled_rounds)
    each = not_negative("epochs", epochs) * not_negative("seconds_per_epoch", seconds_per_epoch, "s")
    return plain(rounds * slower * each)


def uncaught_probability(skipped: ArrayLike, *, sampled_rounds: int) -> Any:
    """The chance (1 − f)^m that none of m sampled rounds is one of the part f of rounds that a user skipped."""
    part = within("skipped", skipped, at_least=0.0, at_most=1.0)
    return plain((1.0 - part) ** whole("sampled_rounds", sampled_rounds))


def distinct_updates(updates: ArrayLike, *, tolerance: float = IDENTICAL) -> Bools:
    """Which of N updates (N, D), in the order in which they came, are no copy of an earlier one: (N,).

    A copy is nearer to an earlier update than `tolerance` times the longer of the two. The difference of two lengths
    is at most their distance, so that only updates of nearly one length are compared.
    """
    vectors = finite("updates", updates)
    if vectors.ndim != 2:
        raise InputError(f"updates have shape {vectors.shape}; give one row a user")
    near = float(within("tolerance", tolerance, at_least=0.0, below=1.0))
    lengths = np.linalg.norm(vectors, axis=1)
    order = np.lexsort((np.arange(lengths.size), lengths))
    upper = np.searchsorted(lengths[order], lengths[order] / (1.0 - near), side="right")
    distinct = np.ones(lengths.size, dtype=bool)
    for place, first in enumerate(order):
        others = order[place + 1 : upper[place]]
        longer = np.maximum(lengths[others], lengths[first])
        copies = others[np.linalg.norm(vectors[others] - vectors[first], axis=1) <= near * longer]
        distinct[np.maximum(copies, first)] = False
    return distinct


def one_name_each(data_sets: ArrayLike) -> Bools:
    """Which of N names (N,) is the first that is registered for its data set: (N,)."""
    registered = np.asarray(data_sets)
    first = np.zeros(registered.size, dtype=bool)
    first[np.unique(registered, return_index=True)[1]] = True
    return first


def minting_scores(round_scores: ArrayLike, aggregated: ArrayLike) -> Floats:
    """Each user's score over a minting, (N,): the sum over R rounds of those that were final and aggregated, (R, N).

    Absent or late work earns nothing. All are 0 where nothing was aggregated in the whole minting: then nothing is
    minted, and winners have everything back.
    """
    scores = not_negative("round_scores", round_scores)
    return np.where(np.asarray(aggregated, dtype=bool), scores, 0.0).sum(axis=0)
