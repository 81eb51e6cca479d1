"""Pay follows work: shares over a whole minting, Eq. 13 with what was delivered in place of what was promised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.game import delivered_shares

worth = st.floats(0.0, 50.0).map(lambda value: value if value > 1e-6 else 0.0)
money = st.sampled_from([0.0, 1.0, 300.0])


@st.composite
def mintings(draw):
    """θ^Q and θ^F of every round and user (R, N), who delivered when (R, N), and the money announced for each."""
    rounds, users = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    cells = st.lists(worth, min_size=rounds * users, max_size=rounds * users)
    quality, freshness = (np.reshape(draw(cells), (rounds, users)) for _ in range(2))
    came = draw(st.lists(st.booleans(), min_size=rounds * users, max_size=rounds * users))
    return quality, freshness, np.reshape(came, (rounds, users)), draw(money), draw(money)


def shares_of(quality, freshness, came, quality_money, freshness_money):
    return delivered_shares(
        (quality * came).sum(axis=0),
        (freshness * came).sum(axis=0),
        quality_money=quality_money,
        freshness_money=freshness_money,
    )


def test_worked_by_hand():
    """Three users; 300 for quality by 4 : 2 : 0, 100 for freshness by 1 : 3 : 0 of what is announced."""
    got = delivered_shares([4.0, 2.0, 0.0], [1.0, 3.0, 0.0], quality_money=300.0, freshness_money=100.0)
    assert got.tolist() == pytest.approx([(200 + 25) / 400, (100 + 75) / 400, 0.0])


@given(mintings())
def test_all_is_shared_among_those_who_delivered(minting):
    quality, freshness, came, *_ = minting
    got = shares_of(*minting)
    assert (got >= 0).all()
    assert got.sum() == pytest.approx(1.0 if (quality * came).any() or (freshness * came).any() else 0.0)
    assert (got[~came.any(axis=0)] == 0).all()  # who never delivers receives nothing


@given(mintings(), st.data())
def test_delivering_once_more_never_pays_less(minting, data):
    quality, freshness, came, *prices = minting
    missed = [tuple(cell) for cell in np.argwhere(~came)]
    if not missed:
        return
    extra = data.draw(st.sampled_from(missed))
    more = came.copy()
    more[extra] = True
    before, after = shares_of(quality, freshness, came, *prices), shares_of(quality, freshness, more, *prices)
    assert after[extra[1]] >= before[extra[1]] - 1e-12
    others = np.arange(len(after)) != extra[1]
    assert (after[others] <= before[others] + 1e-12).all() or not before.any()


@given(mintings())
def test_equal_deliveries_are_paid_equally_in_whatever_order_users_stand(minting):
    quality, freshness, came, *prices = minting
    doubled = [np.hstack([part, part]) for part in (quality, freshness, came)]
    got = shares_of(*doubled, *prices)
    users = quality.shape[1]
    np.testing.assert_allclose(got[:users], got[users:])
    np.testing.assert_allclose(2 * got[:users], shares_of(*minting), atol=1e-12)


def test_twice_the_updates_are_twice_the_pay():
    came = np.array([[True, True], [True, False]])
    ones = np.ones((2, 2))
    assert shares_of(ones, ones, came, 5.0, 7.0).tolist() == pytest.approx([2 / 3, 1 / 3])
