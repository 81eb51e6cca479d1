"""What adversaries send, train on and hold: by hand, and as properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.learning.adversaries import false_labels, imitated, poisoned, split_names


@given(length=st.floats(0, 50), count=st.integers(0, 4), seed=st.integers(0, 99))
def test_a_free_riders_update_is_as_long_as_it_wants(length, count, seed):
    start = np.linspace(-1, 1, 500).astype(np.float32)
    sent = imitated(start, length, np.random.default_rng(seed), count)
    assert sent.shape == (count, 500)
    assert sent.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(sent - start, axis=1), length, rtol=1e-4, atol=1e-4)


def test_free_riders_send_the_model_itself_before_they_saw_it_move_and_never_the_same_noise():
    start = np.ones(30, np.float32)
    np.testing.assert_array_equal(imitated(start, 0.0, np.random.default_rng(0)), start[None])
    one, other = imitated(start, 1.0, np.random.default_rng(0), 2)
    assert not np.array_equal(one, other)


@given(scale=st.floats(-10, 10))
def test_poison_is_the_update_times_its_scale(scale):
    start, params = np.array([1, 2], np.float32), np.array([[2, 0], [1, 2]], np.float32)
    np.testing.assert_allclose(poisoned(start, params, scale), [[1 + scale, 2 - 2 * scale], [1, 2]], rtol=1e-6)


@given(share=st.floats(0.01, 1), classes=st.integers(2, 9), seed=st.integers(0, 99))
def test_labels_are_false_in_the_share_of_those_shards_alone(share, classes, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, 60)
    shards = [np.arange(10, 30), np.arange(40, 47)]
    false = false_labels(labels, shards, classes, share=share, rng=rng)
    untouched = np.setdiff1d(np.arange(60), np.concatenate(shards))
    np.testing.assert_array_equal(false[untouched], labels[untouched])
    changed = false != labels
    np.testing.assert_array_equal(false[changed], classes - 1 - labels[changed])
    for shard in shards:
        middle = 2 * labels[shard] == classes - 1  # which stay as they are
        assert changed[shard].sum() <= round(share * len(shard)) <= changed[shard].sum() + middle.sum()


@given(names=st.integers(2, 7), user=st.integers(0, 2))
def test_names_share_one_shard_and_nobody_elses_moves(names, user):
    shards = [np.arange(0, 7), np.arange(10, 30), np.arange(40, 50)]
    split = split_names(shards, user, names)
    of_one = [split[user], *split[3:]]
    np.testing.assert_array_equal(np.concatenate(of_one), shards[user])
    assert len(of_one) == names
    assert np.ptp([len(part) for part in of_one]) <= 1
    for other in {0, 1, 2} - {user}:
        np.testing.assert_array_equal(split[other], shards[other])


def test_more_names_than_samples_are_refused():
    with pytest.raises(InputError, match=r"user 1 has 2 samples to share among 3 names.*at most 2 names"):
        split_names([np.arange(5), np.arange(2)], 1, 3)
