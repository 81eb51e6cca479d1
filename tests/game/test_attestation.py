"""Which work counts: by what arrives, by what the loss shows, by what an enclave trains anew; copies count once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.game.contest import (
    distinct_updates,
    enclave_seconds,
    epochs_by_arrival,
    epochs_by_enclave,
    epochs_by_loss_drop,
    minting_scores,
    one_name_each,
    score_shares,
    uncaught_probability,
)

DROPS = np.array([0.0, 0.4, 0.6, 0.7, 0.75, 0.78])


def test_what_does_not_arrive_does_not_count():
    assert epochs_by_arrival([5, 5, 20], [True, False, True]).tolist() == [5, 0, 20]


@given(st.integers(0, 5), st.integers(0, 5))
def test_the_loss_shows_what_was_trained_and_no_more_is_counted_than_was_claimed(trained, claimed):
    counted = epochs_by_loss_drop([claimed], [DROPS[trained]], DROPS)
    assert counted[0] == pytest.approx(min(trained, claimed))


def test_who_lets_the_loss_rise_has_trained_nothing():
    assert epochs_by_loss_drop([20, 20], [-0.3, 9.0], DROPS).tolist() == [0.0, 5.0]


def test_an_enclave_finds_what_it_looks_at_and_pays_nothing_then():
    claimed = np.full((3, 4), 5.0)
    trained = claimed.copy()
    trained[1, [1, 2]] = 0.0
    sampled = np.zeros((3, 4), dtype=bool)
    sampled[1, 1] = sampled[0, 2] = sampled[2, 3] = True
    counted = epochs_by_enclave(claimed, trained, sampled)
    assert counted[:, 1].tolist() == [0, 0, 0]
    assert np.all(counted[:, [0, 2, 3]] == 5.0)


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 1), st.integers(1, 4))
def test_the_chance_not_to_be_caught_is_that_of_drawing_rounds(skipped, sampled):
    rng = np.random.default_rng(1)
    drawn = rng.random((20_000, sampled)) >= skipped
    assert uncaught_probability(skipped, sampled_rounds=sampled) == pytest.approx(drawn.all(axis=1).mean(), abs=0.02)


def test_training_anew_takes_the_user_the_time_of_the_rounds_that_are_sampled():
    seconds = enclave_seconds([5, 3], [0.2, 0.4], sampled_rounds=2, slowdown=3.0)
    np.testing.assert_allclose(seconds, [6.0, 7.2])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(1, 30))
def test_copies_count_once_and_the_first_to_come_is_the_one(seed, users, width):
    """Against comparing all pairs; copies differ by less than the tolerance, others are far apart or near by chance."""
    rng = np.random.default_rng(seed)
    updates = rng.normal(size=(users, width)) * rng.choice([1.0, 1.0, 3.0], (users, 1))
    copied = rng.random(users) < 0.4
    updates[copied] = updates[rng.integers(0, users, copied.sum())] * (1 + 0.003 * rng.normal(size=(copied.sum(), 1)))
    lengths = np.linalg.norm(updates, axis=1)
    apart = np.linalg.norm(updates[:, None] - updates[None], axis=2)
    near = apart <= 0.01 * np.maximum(lengths[:, None], lengths[None])
    expected = [not near[i, :i].any() for i in range(users)]
    assert distinct_updates(updates).tolist() == expected


def test_one_data_set_has_one_name():
    assert one_name_each(["a", "b", "a", "c", "b"]).tolist() == [True, True, False, True, False]


def test_scores_add_up_over_the_rounds_that_arrived():
    scores = np.array([[2.0, 2.0, 2.0], [1.0, 3.0, 2.0]])
    aggregated = [[True, True, False], [True, False, False]]
    assert minting_scores(scores, aggregated).tolist() == [3.0, 2.0, 0.0]
    assert not score_shares(minting_scores(scores, np.zeros((2, 3), dtype=bool))).any()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: epochs_by_loss_drop([1], [0.1], [0.0, 0.5, 0.4]),
        lambda: epochs_by_loss_drop([1], [0.1], [0.1, 0.5]),
        lambda: distinct_updates([1.0, 2.0]),
        lambda: enclave_seconds([1], [1.0], sampled_rounds=1, slowdown=0.5),
        lambda: uncaught_probability(1.5, sampled_rounds=1),
    ],
)
def test_bad_input_is_one_sentence(wrong):
    with pytest.raises(InputError) as error:
        wrong()
    assert "\n" not in str(error.value)
