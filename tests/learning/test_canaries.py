"""The one-run audit of a privacy claim: what it must see, and what it cannot."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from flnft_sim.errors import InputError
from flnft_sim.learning.canaries import (
    audit_release,
    audited_epsilon,
    epsilon_lower_bound,
    guessing_chance,
    sums_of_diracs,
)

VALUES = json.loads((Path(__file__).parent / "dp_values.json").read_text())
DELTA = VALUES["delta"]
CASE = next(case for case in VALUES["inverse"] if case["target_epsilon"] == 1.0)  # where the margin is widest
RATE, STEPS, SIGMA = CASE["sampling_rate"], CASE["steps"], CASE["noise_multiplier"]["dp_accounting_pld"]


def published_chance(m, r, v, eps, delta):
    """Appendix D of the publication, loop by loop."""
    q = 1 / (1 + math.exp(-eps))
    beta, alpha, total = binom.sf(v - 1, r, q), 0.0, 0.0
    for i in range(1, v + 1):
        total += binom.pmf(v - i, r, q)
        alpha = max(alpha, total / i)
    return min(1.0, beta + alpha * delta * 2 * m)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_the_chance_is_the_publications(data):
    m = data.draw(st.integers(1, 200))
    r = data.draw(st.integers(0, m))
    v = data.draw(st.integers(0, r))
    epsilon, delta = data.draw(st.floats(0, 8)), data.draw(st.sampled_from([0.0, 1e-5, 1e-2]))
    told = guessing_chance(m, r, v, epsilon=epsilon, delta=delta)
    assert told == pytest.approx(published_chance(m, r, v, epsilon, delta), abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(10, 2000), st.floats(0.5, 1.0), st.sampled_from([0.0, 1e-5]))
def test_the_bound_is_where_the_chance_is_the_doubt(guesses, share, delta):
    correct = int(share * guesses)
    bound = epsilon_lower_bound(5000, guesses, correct, delta=delta)
    if bound:
        assert guessing_chance(5000, guesses, correct, epsilon=bound, delta=delta) == pytest.approx(0.05, abs=1e-6)
    else:
        assert guessing_chance(5000, guesses, correct, epsilon=0.0, delta=delta) >= 0.05
    assert epsilon_lower_bound(5000, guesses, max(0, correct - 1), delta=delta) <= bound


def test_randomised_response_is_bounded_by_its_epsilon_and_nearly_reached():
    """The one mechanism whose ε is known exactly: a bit told right with chance e^ε/(1 + e^ε)."""
    for epsilon in (0.5, 2.0):
        rng, right = np.random.default_rng(7), 1 / (1 + math.exp(-epsilon))
        included = rng.random(5000) < 0.5
        told = np.where(rng.random(5000) < right, included, ~included)
        bound = audited_epsilon(told + 0.1 * rng.random(5000), included, delta=0.0)
        assert 0.6 * epsilon < bound <= epsilon


def _bounds(sigma, *, seeds=5, norm=1.0):
    def release(seed):
        rng = np.random.default_rng([seed, 1])
        return lambda included: sums_of_diracs(
            included, rng, sampling_rate=RATE, noise_multiplier=sigma, steps=STEPS, norm=norm
        )

    return [audit_release(release(seed), delta=DELTA, seed=seed) for seed in range(seeds)]


def test_a_right_mechanism_is_never_refuted_and_what_it_lacks_is_seen():
    assert max(_bounds(SIGMA)) <= 1.0
    assert min(_bounds(SIGMA / 10)) > 1.0, "a tenth of the noise"
    assert min(_bounds(SIGMA, norm=10.0)) > 1.0, "no clipping, gradients ten times the bound"


def test_half_of_the_noise_is_not_seen_reliably():
    """So an audit is no proof: the distribution of the noise itself has a test of its own."""
    assert min(_bounds(SIGMA / 2)) <= 1.0


@pytest.mark.parametrize(
    ("call", "place"),
    [
        (lambda: guessing_chance(5, 6, 1, epsilon=1.0, delta=0.0), "guesses"),
        (lambda: guessing_chance(5, 4, 5, epsilon=1.0, delta=0.0), "correct"),
        (lambda: guessing_chance(5, 4, 3, epsilon=-1.0, delta=0.0), "epsilon"),
        (lambda: guessing_chance(5, 4, 3, epsilon=1.0, delta=2.0), "delta"),
        (lambda: epsilon_lower_bound(5, 4, 3, delta=0.0, confidence=1.0), "confidence"),
        (lambda: audited_epsilon(np.zeros(3), np.zeros(4, bool), delta=0.0), "scores"),
    ],
)
def test_bad_input_is_one_sentence(call, place):
    with pytest.raises(InputError, match=place) as error:
        call()
    assert "\n" not in str(error.value)
