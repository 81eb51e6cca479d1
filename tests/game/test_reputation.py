"""Reputation: its formula by hand, and what it is for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.game.reputation import reputation_after

values = st.lists(st.floats(-10, 10), min_size=1, max_size=8)


def test_by_hand():
    after = reputation_after([1.0, 1.0, 0.5, 2.0], [3.0, 1.0, 0.0, -5.0], smoothing=0.75)
    np.testing.assert_allclose(after, [0.75 + 0.25 * 3, 0.75 + 0.25, 0.375, 1.5])


@given(values, st.floats(0, 0.99))
def test_the_mean_stays_one_and_harm_is_worth_what_nothing_is(contributed, smoothing):
    useful = np.maximum(contributed, 0.0)
    after = reputation_after(np.ones(len(useful)), contributed, smoothing=smoothing)
    assert after.mean() == pytest.approx(1.0)
    np.testing.assert_array_equal(after, reputation_after(np.ones(len(useful)), useful, smoothing=smoothing))
    assert (np.argsort(after, kind="stable")[-1] == np.argsort(useful, kind="stable")[-1]) or useful.max() == 0


def test_who_never_helps_loses_it_round_by_round():
    reputation = np.ones(3)
    for _ in range(10):
        reputation = reputation_after(reputation, [1.0, 1.0, -1.0], smoothing=0.5)
    np.testing.assert_allclose(reputation, [1.5 - 0.5**11, 1.5 - 0.5**11, 0.5**10])


@pytest.mark.parametrize("wrong", [{"contributed": [np.nan]}, {"smoothing": 1.5}, {"reputation": [-1.0]}])
def test_what_is_none_is_refused(wrong):
    given = {"reputation": [1.0], "contributed": [1.0], "smoothing": 0.5} | wrong
    with pytest.raises(InputError):
        reputation_after(given["reputation"], given["contributed"], smoothing=given["smoothing"])
