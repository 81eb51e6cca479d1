"""Fits of a categorical hidden Markov model by EM, smoothed so that no level is ever impossible.

The forward and backward passes are hmmlearn's, compiled. They are called without its model classes, whose import loads
scikit-learn and scipy.stats and takes longer than a short run; a test holds the two to the same bits.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from hmmlearn import _hmmc

from flnft_sim.arrays import Floats
from flnft_sim.game.beliefs.forward import HmmParameters

PSEUDO_COUNT = 0.1  # of each transition and emission: Dirichlet priors of 1 + this
ITERATIONS = 30
TOLERANCE = 1e-2  # of the log-posterior, at which EM stops
_UNROLLED = 8  # terms from which on NumPy adds several at a time
_ADDED = 1.0 + PSEUDO_COUNT - 1.0  # to each count in the M step, as the mode of a Dirichlet posterior has it


class _Pass(NamedTuple):
    """A sequence of n levels under a model of K states; rows of `forward` and `backward` are scaled."""

    emitted: Floats  # (n, K): the probability of each level in each state
    log_likelihood: float
    forward: Floats  # (n, K)
    backward: Floats  # (n, K)

    @property
    def posterior(self) -> Floats:
        """Probabilities (n, K) of the states at each place, given the whole sequence."""
        weights = self.forward * self.backward
        return weights / _row_sums(weights)[:, None]


def refit(symbols: np.ndarray, lengths: list[int], start: HmmParameters) -> HmmParameters:
    """EM from `start` on sequences of levels (T,), `lengths` of them; never less likely than `start`.

    EM climbs the posterior. Should its likelihood come out lower than that of `start`, `start` stays.
    """
    parts, fitted, before, likelihoods = _parts(symbols, lengths), start, -np.inf, []
    states = start.start.size
    emissions = (symbols[:, None] * states + np.arange(states)).ravel()  # of each level in each state, as one number
    for _ in range(ITERATIONS):
        stepped, likelihood = _step(emissions, parts, fitted)
        bound = likelihood + PSEUDO_COUNT * _log_prior(fitted)
        fitted, gain, before = stepped, bound - before, bound
        likelihoods.append(likelihood)
        if gain < TOLERANCE:
            break
    return fitted if _log_likelihood(parts, fitted) >= likelihoods[0] else start


def log_likelihood(symbols: np.ndarray, lengths: list[int], parameters: HmmParameters) -> float:
    """Natural logarithm of the probability of the sequences."""
    return _log_likelihood(_parts(symbols, lengths), parameters)


def fresh_start(states: int, levels: int, rng: np.random.Generator) -> HmmParameters:
    """A random model whose states emit neighbouring levels in order and move anywhere alike.

    States told apart by what they emit let the first M step read the transitions off the data.
    """
    centre = (np.arange(states) + 0.5) * levels / states - 0.5
    width = max(0.5, levels / states)
    near = np.exp(-2.0 * np.abs(np.arange(levels) - centre[:, None]) / width) + 0.02
    return HmmParameters(
        np.full(states, 1.0 / states),
        _rows(rng.uniform(0.8, 1.2, (states, states))),
        _rows(near * rng.uniform(0.8, 1.2, near.shape)),
    )


def with_levels(
    symbols: np.ndarray, lengths: list[int], parameters: HmmParameters, new_symbols: np.ndarray, levels: int
) -> HmmParameters:
    """The same chain over new levels: B from the states' posteriors under the old ones (one M step)."""
    posterior = np.concatenate([each.posterior for each in _passes(_parts(symbols, lengths), parameters)])
    emission = np.full((parameters.start.size, levels), PSEUDO_COUNT)
    np.add.at(emission.T, new_symbols, posterior)
    return HmmParameters(parameters.start, parameters.transition, _rows(emission))


def _step(emissions: np.ndarray, parts: list[np.ndarray], old: HmmParameters) -> tuple[HmmParameters, float]:
    """One step of EM: the new parameters, and the log-likelihood of the old ones."""
    states, levels = old.emission.shape
    start, transition, likelihood, posteriors = np.zeros(states), np.zeros((states, states)), 0.0, []
    for each in _passes(parts, old):
        posteriors.append(each.posterior)
        start += posteriors[-1][0]
        if len(each.emitted) > 1:
            transition += _hmmc.compute_scaling_xi_sum(each.forward, old.transition, each.backward, each.emitted)
        likelihood += each.log_likelihood
    emission = np.bincount(emissions, np.concatenate(posteriors).ravel(), levels * states)
    weights = _ADDED + start
    return HmmParameters(
        weights / np.add.reduce(weights),
        _rows(_ADDED + transition),
        _rows(_ADDED + emission.reshape(levels, states).T.copy()),
    ), likelihood


def _log_prior(parameters: HmmParameters) -> float:
    """The logarithm of the Dirichlet priors' density, by pseudo-count and up to a constant."""
    transition, emission, start = map(np.log, (parameters.transition, parameters.emission, parameters.start))
    return float(np.add.reduce(transition, axis=None) + np.add.reduce(emission, axis=None) + np.add.reduce(start))


def _log_likelihood(parts: list[np.ndarray], parameters: HmmParameters) -> float:
    total = 0.0  # added up one by one: Python's `sum` compensates, and hmmlearn does not
    for part in parts:
        total += _forward(part, parameters)[1]
    return total


def _passes(parts: list[np.ndarray], parameters: HmmParameters) -> Iterator[_Pass]:
    """The forward and backward pass over each sequence."""
    for part in parts:
        emitted, likelihood, forward, scaling = _forward(part, parameters)
        backward = _hmmc.backward_scaling(parameters.start, parameters.transition, emitted, scaling)
        yield _Pass(emitted, likelihood, forward, backward)


def _forward(part: np.ndarray, parameters: HmmParameters) -> tuple[Floats, float, Floats, Floats]:
    """Emission probabilities (n, K), log-likelihood, scaled forward probabilities (n, K) and their scales (n,)."""
    emitted = parameters.emission.T.take(part, axis=0)
    return emitted, *_hmmc.forward_scaling(parameters.start, parameters.transition, emitted)


def _parts(symbols: np.ndarray, lengths: list[int]) -> list[np.ndarray]:
    return [symbols] if len(lengths) == 1 else np.split(symbols, np.cumsum(lengths)[:-1])


def _row_sums(weights: Floats) -> Floats:
    """(n,), as `np.add.reduce(weights, axis=1)` to the last bit, in half the time where rows are short."""
    if weights.shape[1] >= _UNROLLED:
        return np.add.reduce(weights, axis=1)
    total = weights[:, 0].copy()
    for column in range(1, weights.shape[1]):
        total += weights[:, column]
    return total


def _rows(weights: Floats) -> Floats:
    return weights / np.add.reduce(weights, axis=1, keepdims=True)
