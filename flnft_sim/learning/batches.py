"""Which samples a user trains on in which step, and which units dropout removes: one rule for every engine.

A user's draws depend on the seed and on the user's own number alone, never on who else trains or in which order,
so that engines agree sample for sample and schemes with different participants see common random numbers.
"""

import numpy as np

from flnft_sim.streams import Streams

# An odd constant per axis keeps (step, site) pairs apart; both are well-known multiplicative hash constants.
STEP_STRIDE = 0x9E3779B9
SITE_STRIDE = 0x85EBCA6B
CHUNK_STRIDE = 2**20  # steps between the dropout masks of a lot's first and second chunk
LOT_ROWS = 1024  # records of a lot that an engine takes at a time: fixed, so that no sum depends on who else trains
MIX_FIRST, MIX_SECOND = 0x7FEB352D, 0x846CA68B  # the multipliers of `lowbias32` (C. Wellons)


def batch_plan(n_samples: int, epochs: int, batch_size: int, seed: int, user: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw one user's mini-batches: `idx` (epochs·n,) and `bounds` (steps+1,), both int64.

    Step s trains on samples `idx[bounds[s]:bounds[s+1]]`. Each epoch is a fresh permutation of the shard, cut into
    ceil(n / batch_size) steps of which the last may be ragged. The plan of k epochs starts with the plan of k−1.
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(user,))))
    idx = np.concatenate([rng.permutation(n_samples) for _ in range(epochs)])
    starts = np.arange(epochs)[:, None] * n_samples + np.arange(0, n_samples, batch_size)[None, :]
    bounds = np.append(starts.ravel(), epochs * n_samples)
    return idx.astype(np.int64, copy=False), bounds.astype(np.int64, copy=False)


def poisson_lot(streams: Streams, user: int, step: int, n_samples: int, rate: float) -> np.ndarray:
    """Draw the lot of one private step: the rows (m,) int64 whose own coin of probability `rate` fell.

    A record's coin depends on the seed, the user, the step and the record's place alone: another record more or less
    behind it changes none.
    """
    coins = streams.generator("dp lot", user, step).random(n_samples)
    return np.flatnonzero(coins < rate)


def steps_per_epoch[T: (int, np.ndarray)](n_samples: T, batch_size: int) -> T:
    """Count the mini-batches of one epoch, the ragged one included; one number or one a user."""
    return -(-n_samples // batch_size)


def dropout_key(seed: int, user: int) -> int:
    """Derive the 32-bit key of one user's dropout masks in one call of `train_users`."""
    return int(np.random.SeedSequence(seed, spawn_key=(user, 1)).generate_state(1)[0])


def dropout_base(keys: np.ndarray, step: int, site: int) -> np.ndarray:
    """Derive where the masks of one step start at one dropout site (counted from 0 in forward order).

    `keys` (n,) are the users' own; returns (n,) uint32.
    """
    return _mix(((keys + step * STEP_STRIDE + site * SITE_STRIDE) % 2**32).astype(np.uint32))


def dropout_threshold(rate: float) -> int:
    """Return the 32-bit number below which a unit's hash means that the unit is dropped."""
    return int(rate * 2**32)


def dropout_mask(key: int, step: int, site: int, rows: int, width: int, rate: float) -> np.ndarray:
    """Return which units stay, (rows, width) bool: the reference for the engines' own copies of this rule.

    The mask is a hash of (key, step, site, row, unit), not a stream: every engine computes the bits it needs where
    it needs them, in any order. Kept values are scaled by 1/(1−rate).
    """
    counters = np.arange(rows * width, dtype=np.uint32).reshape(rows, width)
    hashes = _mix(counters + dropout_base(np.array([key]), step, site))
    return hashes >= np.uint32(dropout_threshold(rate))


def _mix(x: np.ndarray) -> np.ndarray:
    """Scramble uint32 values with the `lowbias32` finaliser (C. Wellons, "Prospecting for hash functions")."""
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(MIX_FIRST)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(MIX_SECOND)
    return x ^ (x >> np.uint32(16))
