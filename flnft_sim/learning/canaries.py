"""The audit of a privacy claim in one run: how well do outputs tell which of m canaries were in?

Steinke, Nasr and Jagielski, "Privacy auditing with one training run" (2023): each of m records that its owner can
recognise (canaries) joins the data by a fair coin; whoever sees the outputs guesses for some of them whether they were
in. An (ε, δ)-private mechanism lets nobody be right much more often than a coin of chance e^ε/(1 + e^ε), so many right
guesses refute the claim: an audit gives a lower bound on ε, never a guarantee. A bound far below the claim is what a
right mechanism shows, and so does one with half of the noise it should have: a factor of 2 is not seen.
"""

from collections.abc import Callable, Sequence

import numpy as np

from flnft_sim.arrays import Bools, Floats
from flnft_sim.checks import OutOfRangeError, whole, within

CANARIES = 5000
CONFIDENCE = 0.95
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Of all canaries, for how many one guesses; each is tried, and the confidence divided among them (Bonferroni)."""

MOST_EPSILON = 50.0  # e^50 to 1: all guesses right

type Release = Callable[[Bools], Floats]
"""From which canaries are in (m,), a score each (m,): the higher, the likelier it was in."""


def guessing_chance(canaries: int, guesses: int, correct: int, *, epsilon: float, delta: float) -> float:
    """Bound the chance that (ε, δ)-privacy leaves to so many correct guesses or more, in 0..1.

    That is P[B ≥ v] + 2mδ·max_i P[v > B ≥ v − i]/i with B ~ Binomial(r, e^ε/(1 + e^ε)), of m canaries, r guesses, v
    correct. Raises `OutOfRangeError` unless v ≤ r ≤ m, ε ≥ 0 and δ in [0, 1].
    """
    from scipy.stats import binom

    whole("guesses", guesses, least=0, most=whole("canaries", canaries, least=1))
    whole("correct", correct, least=0, most=guesses)
    within("epsilon", epsilon, at_least=0.0)
    within("delta", delta, at_least=0.0, at_most=1.0)
    right = 1.0 / (1.0 + np.exp(-epsilon))
    by_chance = float(binom.sf(correct - 1, guesses, right))
    if not correct or not delta:
        return min(1.0, by_chance)
    below = np.cumsum(binom.pmf(np.arange(correct - 1, -1, -1), guesses, right)) / np.arange(1, correct + 1)
    return min(1.0, by_chance + 2.0 * canaries * delta * float(below.max()))


def epsilon_lower_bound(
    canaries: int, guesses: int, correct: int, *, delta: float, confidence: float = CONFIDENCE
) -> float:
    """Return the ε below which so many correct guesses are too unlikely to believe: 0 where no ε is refuted."""
    from scipy.optimize import brentq

    doubt = 1.0 - float(within("confidence", confidence, above=0.0, below=1.0))

    def excess(epsilon: float) -> float:
        return guessing_chance(canaries, guesses, correct, epsilon=epsilon, delta=delta) - doubt

    if excess(0.0) >= 0.0:
        return 0.0
    return float(brentq(excess, 0.0, MOST_EPSILON)) if excess(MOST_EPSILON) > 0.0 else MOST_EPSILON


def audited_epsilon(
    scores: Floats, included: Bools, *, delta: float, confidence: float = CONFIDENCE, shares: Sequence[float] = SHARES
) -> float:
    """Return a lower bound on ε from canaries' scores (m,) and whether each was in (m,).

    Of each of `shares`, half are guessed in (the highest scores) and half out (the lowest); the best bound is told.
    """
    if scores.shape != included.shape or scores.ndim != 1:
        raise OutOfRangeError(f"scores {scores.shape} and included {included.shape} must be one number a canary each")
    order, each = np.argsort(scores, kind="stable"), 1.0 - (1.0 - confidence) / len(shares)
    best = 0.0
    for share in shares:
        half = max(1, round(len(scores) * share / 2))
        correct = int(included[order[-half:]].sum() + (~included[order[:half]]).sum())
        best = max(best, epsilon_lower_bound(len(scores), 2 * half, correct, delta=delta, confidence=each))
    return best


def audit_release(release: Release, *, delta: float, seed: int, canaries: int = CANARIES) -> float:
    """Let each canary in by a fair coin, see the scores that `release` gives them, and bound ε from below."""
    included = np.random.default_rng(seed).random(canaries) < 0.5
    return audited_epsilon(release(included), included, delta=delta)


def sums_of_diracs(
    included: Bools,
    rng: np.random.Generator,
    *,
    sampling_rate: float,
    noise_multiplier: float,
    steps: int,
    norm: float = 1.0,
) -> Floats:
    """Score canaries (m,) as a white-box adversary who sees every noisy sum of clipped gradients, clipped to norm 1.

    Canary j's gradient is `norm` in its own direction j, where nobody else has anything: the hardest there is. Its
    score is the sum, over the steps, of the noisy sums' j-th coordinate. `norm` above 1 is what no clipping looks like.
    """
    joined = rng.binomial(steps, sampling_rate, len(included)) * included
    return norm * joined + rng.normal(0.0, noise_multiplier * steps**0.5, len(included))
