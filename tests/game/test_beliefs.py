"""Every kind of belief through the one interface, and the filter against hmmlearn's own forward pass."""

import numpy as np
import pytest
from hmmlearn.hmm import CategoricalHMM
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.game import BELIEFS, BidBelief, OutOfRangeError
from flnft_sim.game.beliefs.fitting import (
    ITERATIONS,
    PSEUDO_COUNT,
    TOLERANCE,
    _row_sums,
    fresh_start,
    log_likelihood,
    refit,
)
from flnft_sim.game.beliefs.forward import ForwardFilter
from flnft_sim.game.beliefs.levels import Levels

# hmmlearn 0.3.3 under NumPy 2.5; nothing of ours
pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")

KINDS = ["ar1", "blend", "ewma", "hmm", "hmm-mode", "last", "markov", "mean", "oracle"]
histories = st.lists(st.floats(0, 1e6) | st.just(np.nan) | st.sampled_from([3.0, 7.0]), max_size=40)


def fed(kind, history, **options):
    belief = BidBelief(kind, **options)
    for bid in history:
        belief.observe(bid)
    return belief


def test_all_kinds_are_registered():
    assert set(KINDS) <= set(BELIEFS.names())


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(history=histories)
def test_a_prediction_is_a_distribution_over_bids(kind, history):
    belief = fed(kind, history)
    levels, probabilities = belief.predict()
    assert levels.shape == probabilities.shape
    assert np.all(np.isfinite(levels)) and np.all(levels >= 0) and np.all(np.diff(levels) >= 0)
    assert np.all(probabilities >= 0) and probabilities.sum() == pytest.approx(1, abs=1e-12)
    assert belief.most_likely() in levels
    assert belief.mean() == pytest.approx(levels @ probabilities)
    seen = [bid for bid in history if not np.isnan(bid)]
    if seen and kind != "ar1":  # a line may lead out of what was seen
        assert min(seen) * (1 - 1e-12) <= belief.mean() <= max(seen) * (1 + 1e-12)


@pytest.mark.parametrize("kind", ["hmm", "hmm-mode", "markov", "ar1"])
def test_two_values_in_turn_are_learned(kind):
    assert fed(kind, [10.0, 20.0] * 30).mean() == pytest.approx(10.0, abs=0.5)
    assert fed(kind, [10.0, 20.0] * 30 + [10.0]).mean() == pytest.approx(20.0, abs=0.5)


@pytest.mark.parametrize("kind", ["hmm", "hmm-mode", "markov", "ar1"])
def test_with_too_short_a_history_the_last_bid_is_predicted_and_said(kind):
    belief = fed(kind, [5.0, 9.0, 7.0], min_history=8)
    assert belief.mean() == 7.0
    assert "last bid" in belief.fallback
    for bid in range(9):
        belief.observe(float(bid))
    assert belief.fallback is None


def test_point_kinds_in_closed_form():
    history = [4.0, 8.0, np.nan, 6.0]
    assert fed("last", history).mean() == 6.0
    assert fed("mean", history).mean() == pytest.approx(6.0)
    assert fed("ewma", history, ewma_weight=0.5).mean() == pytest.approx(6.0)  # 4 → 6 → 6


@given(st.lists(st.floats(0, 100), min_size=12, max_size=40))
def test_ar1_is_least_squares(history):
    x, y = np.array(history[:-1]), np.array(history[1:])
    if np.ptp(x) < 1e-3:
        return
    slope = np.clip(np.polyfit(x, y, 1)[0], -1, 1)
    expected = max(0.0, y.mean() + slope * (history[-1] - x.mean()))
    assert fed("ar1", history).mean() == pytest.approx(expected, abs=1e-6)


def test_markov_counts_transitions():
    history = [1.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 2.0, 1.0, 2.0]
    levels, probabilities = fed("markov", history, min_history=10).predict()
    assert levels.tolist() == [1.0, 2.0]
    np.testing.assert_allclose(probabilities, [4 / 6, 2 / 6])  # from 2: three to 1, one to 2, one added to each


def test_the_oracle_says_what_was_revealed():
    belief = fed("oracle", [1.0, 2.0])
    belief.reveal(9.0)
    assert belief.mean() == 9.0 and belief.fallback is None
    belief.observe(9.0)
    belief.observe(4.0)
    assert belief.mean() == 4.0 and "revealed" in belief.fallback


def test_blend_is_a_mixture():
    history = np.random.default_rng(3).uniform(0, 100, 40)
    hmm, ewma = fed("hmm", history).mean(), fed("ewma", history).mean()
    assert fed("blend", history).mean() == pytest.approx(0.25 * hmm + 0.75 * ewma)
    assert fed("blend", history, blend_weight=1.0).mean() == pytest.approx(hmm)


def test_hmm_mode_is_the_most_likely_level_of_hmm():
    history = np.random.default_rng(4).uniform(0, 100, 40)
    assert fed("hmm-mode", history).mean() == fed("hmm", history).most_likely()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(2, 12), st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_the_incremental_filter_is_hmmlearns_forward_pass(states, levels, seed, length):
    """Prediction after every prefix = last posterior of hmmlearn's pass over that prefix, one step on (1e-10)."""
    rng = np.random.default_rng(seed)
    parameters = fresh_start(states, levels, rng)
    symbols = rng.integers(levels, size=length)
    model = CategoricalHMM(states, n_features=levels)
    model.startprob_, model.transmat_, model.emissionprob_ = (
        parameters.start,
        parameters.transition,
        parameters.emission,
    )
    filtered = ForwardFilter(parameters)
    for t, symbol in enumerate(symbols):
        filtered.observe(symbol)
        # the smoothed posterior of the last time step is the filtered one
        posterior = model.score_samples(symbols[: t + 1, None])[1][-1]
        expected = posterior @ parameters.transition @ parameters.emission
        np.testing.assert_allclose(filtered.predict(), expected, rtol=0, atol=1e-10)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(2, 12), st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 60))
def test_levels_are_taken_in_at_once_as_one_by_one(states, levels, seed, before, after):
    """Two unbroken runs of bids with an auction missed between them."""
    rng = np.random.default_rng(seed)
    parameters = fresh_start(states, levels, rng)
    at_once, one_by_one = ForwardFilter(parameters), ForwardFilter(parameters)
    for run in (rng.integers(levels, size=before), rng.integers(levels, size=after)):
        at_once.observe_all(run)
        for level in run:
            one_by_one.observe(level)
        np.testing.assert_allclose(at_once.predict(), one_by_one.predict(), rtol=1e-12)
        at_once.skip()
        one_by_one.skip()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 2**32 - 1), st.integers(8, 60))
def test_a_refit_is_never_less_likely_than_its_start(states, levels, seed, length):
    rng = np.random.default_rng(seed)
    symbols, start = rng.integers(levels, size=length), fresh_start(states, levels, rng)
    lengths = [length - 3, 3]
    fitted = refit(symbols, lengths, start)
    assert log_likelihood(symbols, lengths, fitted) >= log_likelihood(symbols, lengths, start)
    assert np.all(fitted.emission > 0) and np.all(fitted.transition > 0)


@given(st.lists(st.floats(0, 1e3) | st.sampled_from([0.0, 5.0]), min_size=1, max_size=50), st.integers(1, 12))
def test_levels_cover_the_history(bids, count):
    bids = np.array(bids)
    levels = Levels.of(bids, count)
    index = levels.indices(bids)
    assert 1 <= len(levels) <= count
    assert np.bincount(index, minlength=len(levels)).min() >= 1  # no level without a bid
    assert np.all(np.diff(levels.values) > 0)
    assert [levels.index(bid) for bid in bids] == index.tolist()
    for level in range(len(levels)):
        assert levels.values[level] == np.median(bids[index == level])


@pytest.mark.parametrize("bid", [-1.0, np.inf, -np.inf])
def test_a_bid_is_finite_money(bid):
    with pytest.raises(OutOfRangeError, match="observed bid"):
        BidBelief("last").observe(bid)


def test_unknown_kinds_and_options():
    with pytest.raises(UnknownNameError, match="did you mean 'hmm'"):
        BidBelief("hmmm")
    with pytest.raises(InputError, match="no setting 'stats', did you mean 'states'"):
        BidBelief("hmm", stats=3)
    with pytest.raises(InputError, match="states = 0: should be"):
        BidBelief("hmm", states=0)
    with pytest.raises(InputError, match="ewma_weight"):
        BidBelief("ewma", ewma_weight=1.5)


class SmoothedHmm(CategoricalHMM):
    """hmmlearn's own model with the priors of our fits: what EM climbs, and no warning about short histories."""

    def _compute_lower_bound(self, curr_logprob):
        logs = np.log(self.transmat_).sum() + np.log(self.emissionprob_).sum() + np.log(self.startprob_).sum()
        return curr_logprob + PSEUDO_COUNT * logs

    def _get_n_fit_scalars_per_param(self):
        return None


@settings(max_examples=40, deadline=None)
@given(
    states=st.integers(1, 5),
    levels=st.integers(1, 7),
    seed=st.integers(0, 2**32 - 1),
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4),
)
def test_a_fit_is_hmmlearns_own_to_the_last_bit(states, levels, seed, lengths):
    """`CategoricalHMM.fit` from the same start, over sequences with gaps between them, and its score."""
    rng = np.random.default_rng(seed)
    start, symbols = fresh_start(states, levels, rng), rng.integers(levels, size=sum(lengths))
    prior = 1.0 + PSEUDO_COUNT
    model = SmoothedHmm(
        n_components=states,
        n_features=levels,
        startprob_prior=prior,
        transmat_prior=prior,
        emissionprob_prior=prior,
        n_iter=ITERATIONS,
        tol=TOLERANCE,
        init_params="",
        implementation="scaling",
    )
    model.startprob_, model.transmat_, model.emissionprob_ = start.start, start.transition, start.emission
    assert log_likelihood(symbols, lengths, start) == model.score(symbols[:, None], lengths)
    model.fit(symbols[:, None], lengths)
    ours = refit(symbols, lengths, start)
    if ours is not start:  # else EM's likelihood fell, and the start stays
        assert np.array_equal(ours.start, model.startprob_)
        assert np.array_equal(ours.transition, model.transmat_)
        assert np.array_equal(ours.emission, model.emissionprob_)
        assert log_likelihood(symbols, lengths, ours) == model.score(symbols[:, None], lengths)
    else:
        assert model.score(symbols[:, None], lengths) < log_likelihood(symbols, lengths, start)


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_sums_of_rows_are_numpys_to_the_last_bit(states, seed):
    weights = np.random.default_rng(seed).random((40, states))
    assert _row_sums(weights).tobytes() == np.add.reduce(weights, axis=1).tobytes()
