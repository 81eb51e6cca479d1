"""The forward algorithm (Eq. 31 to 33), one observation at a time."""

from dataclasses import dataclass

import numpy as np
from hmmlearn import _hmmc

from flnft_sim.arrays import Floats


@dataclass(frozen=True)
class HmmParameters:
    """A hidden Markov model of K states and L levels: I (K,), A (K, K), B (K, L); rows sum to 1."""

    start: Floats
    transition: Floats
    emission: Floats


class ForwardFilter:
    """Holds the distribution of the *next* auction's state, given all bids so far; O(K²) an observation."""

    def __init__(self, parameters: HmmParameters) -> None:
        self._transition, self._emission = parameters.transition, parameters.emission
        self._emitting = np.ascontiguousarray(parameters.emission.T)  # by level: (K,)
        self._next = parameters.start

    def observe(self, level: int) -> None:
        """Take in an observed level: η' ∝ (η·A) ∘ B[:, o], then one transition ahead."""
        joint = self._next * self._emitting[level]
        self._next = (joint / np.add.reduce(joint)) @ self._transition

    def observe_all(self, levels: np.ndarray) -> None:
        """Take in levels (n,) that were observed one after the other, n ≥ 1, in one compiled pass."""
        _, forward, _ = _hmmc.forward_scaling(self._next, self._transition, self._emitting.take(levels, axis=0))
        self._next = forward[-1] @ self._transition

    def skip(self) -> None:
        """Take in an auction without a bid: a transition, nothing learned."""
        self._next = self._next @ self._transition

    def predict(self) -> Floats:
        """Probabilities (L,) of the next observation's level."""
        return self._next @ self._emission
