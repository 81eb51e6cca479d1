"""What many noisy steps on random lots of records reveal in all: ε at δ, and the noise that a given ε needs.

A segment is a number of equal steps. In each, every record joins the lot by its own coin of probability q (Poisson
sampling), the records' gradients are clipped to norm C and summed, and N(0, (σC)²) is added; σ is the noise
multiplier. Neighbours differ in one record. Steps are composed by their privacy-loss distribution (Google's
dp-accounting, connect-the-dots, rounded so that ε is never told too small). Shuffled lots are not covered.
"""

from collections.abc import Iterable
from math import exp, inf, log, sqrt

from flnft_sim.checks import positive, whole, within

Segment = tuple[float, float, int]
"""Sampling rate q, noise multiplier σ, steps."""

_GRID = 1e-4  # of the privacy loss, as in dp-accounting's own default
_PRECISION = 1e-3  # relative, of a noise multiplier that is searched; what is told is on the safe side


def dp_epsilon(segments: Iterable[Segment], delta: float) -> float:
    """ε at `delta` of the segments [(sampling rate, noise multiplier, steps), …] in order; 0 where nothing is done.

    Raises `InputError` for a rate outside (0, 1], noise that is not above 0, steps below 0, δ outside (0, 1).
    """
    from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent
    from dp_accounting.pld import PLDAccountant

    within("delta", delta, above=0.0, below=1.0)
    accountant, any_step = PLDAccountant(value_discretization_interval=_GRID), False
    for number, (rate, noise, steps) in enumerate(segments):
        within(f"segments[{number}].sampling_rate", rate, above=0.0, at_most=1.0)
        positive(f"segments[{number}].noise_multiplier", noise)
        whole(f"segments[{number}].steps", steps, least=0)
        if steps:
            step = GaussianDpEvent(noise) if rate == 1.0 else PoissonSampledDpEvent(rate, GaussianDpEvent(noise))
            accountant.compose(step, int(steps))
            any_step = True
    return float(accountant.get_epsilon(delta)) if any_step else 0.0


def dp_epsilon_renyi(sampling_rate: float, noise_multiplier: float, steps: int, delta: float) -> float:
    """ε at `delta` by Rényi accounting (Mironov et al. 2019): looser, and the number that many papers print."""
    from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent
    from dp_accounting.rdp import RdpAccountant

    accountant = RdpAccountant()
    accountant.compose(PoissonSampledDpEvent(sampling_rate, GaussianDpEvent(noise_multiplier)), int(steps))
    return float(accountant.get_epsilon(delta))


def dp_noise_multiplier(sampling_rate: float, epsilon: float, steps: int, delta: float) -> float:
    """The least σ at which that many steps are (ε, δ)-private, at most a thousandth above it.

    ε falls in σ, nearly as a power of it: the root is found by secants in logarithms, from the side of much noise,
    where the accountant is quick, and what is told is a σ for which ε was seen to hold. Raises `InputError` as
    `dp_epsilon` does, and for ε that is not above 0.
    """
    positive("epsilon", epsilon)
    whole("steps", steps, least=1)
    within("sampling_rate", sampling_rate, above=0.0, at_most=1.0)
    within("delta", delta, above=0.0, below=1.0)
    at = log(2.0 * sampling_rate * sqrt(2.0 * steps * log(1.0 / delta)) / epsilon + 0.3)
    low, high, slope = -inf, inf, 1.3  # ε is too large at `low` and holds at `high`
    before: tuple[float, float] | None = None
    while True:
        excess = log(max(dp_epsilon([(sampling_rate, exp(at), steps)], delta), 1e-300) / epsilon)
        low, high = (low, at) if excess <= 0.0 else (at, high)
        if high - low <= _PRECISION or -_PRECISION / 4 <= excess <= 0.0:
            return exp(high)
        if before is not None and excess != before[1]:
            slope = min(max((before[1] - excess) / (at - before[0]), 0.5), 20.0)
        before = at, excess
        at += min(max((excess + _PRECISION / 8) / slope, -1.0), 1.0)  # aims at the safe side
        if not low < at < high:
            at = (low + high) / 2
