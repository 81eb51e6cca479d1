"""Random streams: one `SeedSequence` child per purpose, so switching one feature off leaves the others' draws alone.

A child's key is derived from the purpose's *name* (not from the order of calls), which keeps common random numbers
between two scenarios that use different sets of streams.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from flnft_sim.errors import InputError, shown


@dataclass(frozen=True)
class Streams:
    """All random streams of one run. `Streams(7).generator("fading", user)` is the same in every process."""

    seed: int

    def __post_init__(self) -> None:
        checked_seed(self.seed)

    def sequence(self, purpose: str, *indices: int) -> np.random.SeedSequence:
        """The child for a purpose ("placement", "fading", "blocks" …) and optional indices (user, round …)."""
        return np.random.SeedSequence(self.seed, spawn_key=(_key(purpose), *indices))

    def generator(self, purpose: str, *indices: int) -> np.random.Generator:
        """A fresh PCG64 generator on that child; ask once and keep it: asking again starts the stream anew."""
        return np.random.Generator(np.random.PCG64(self.sequence(purpose, *indices)))

    def integer(self, purpose: str, *indices: int) -> int:
        """A 63-bit seed for libraries that want a number (PyTorch, hmmlearn)."""
        return int(self.sequence(purpose, *indices).generate_state(1, np.uint64)[0] >> np.uint64(1))


@cache
def _key(purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:4], "big")


def checked_seed(seed: Any) -> int:
    """The seed as a plain whole number; raises `InputError` for what NumPy could not be seeded with."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"the seed is {shown(seed)}; give a whole number of 0 or more")
    return int(seed)
