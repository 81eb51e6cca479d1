"""Promises, what of them is delivered, and what becomes of the pot: arithmetic done by hand, and the design's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.game.contest import (
    delivered_part,
    measured_freshness,
    promised,
    provider_values,
    release,
    release_exponent,
    release_power,
)


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=9), st.floats(0, 1), st.floats(1, 50))
def test_what_is_released_paid_back_and_lost_is_the_pot_to_the_unit(payments, delivered, exponent):
    shared = release(payments, delivered, exponent=exponent)
    assert shared.released + int(shared.refunds.sum()) + shared.sink == sum(payments)
    assert shared.released >= 0 and shared.sink >= 0 and np.all(shared.refunds >= 0)
    assert np.all(shared.refunds <= np.asarray(payments))


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=9), st.floats(1, 50))
def test_a_promise_kept_is_paid_whole_and_one_broken_is_paid_back_whole(payments, exponent):
    kept, broken = release(payments, 1.0, exponent=exponent), release(payments, 0.0, exponent=exponent)
    assert kept.released == sum(payments) and kept.sink == 0 and not kept.refunds.any()
    assert broken.refunds.tolist() == payments and broken.released == broken.sink == 0


def test_the_power_of_the_release_is_the_design_s():
    assert release_power(a=0.5, users=10, promised_epochs=5) == pytest.approx(1.496, abs=5e-4)
    assert release_power(a=0.5, users=10, promised_epochs=1) == np.inf
    assert release([7, 3], 0.9, exponent=np.inf).released == 0
    assert release_exponent(a=1.0, users=1000, promised_epochs=20, elasticity=3.0) == 1.0  # never above what is kept


def test_what_an_honest_stayer_keeps_after_drop_outs():
    """Of ten, 0 to 3 drop out unforeseen; the pot falls with the epochs to the power m, at costs of .0467 of it."""
    power = release_power(a=0.5, users=10, promised_epochs=5)
    kept = [(1 - out / 10) ** power / (10 - out) - 0.0467 for out in range(4)]
    np.testing.assert_allclose(kept, [0.0533, 0.048, 0.043, 0.037], atol=6e-4)


def test_a_promise_is_kept_in_spite_of_noise():
    """Noise of 1.2 % of the quality: promising the mean releases .935 on average, two errors less about .998."""
    rng = np.random.default_rng(0)
    quality = 0.9 * (1.0 + 0.012 * rng.standard_normal(40_000))
    exponent = release_exponent(a=0.5, users=10, promised_epochs=5, elasticity=0.05)
    released = {
        caution: delivered_part(quality, 1.0, promised_quality=promised(quality, caution=caution), promised_freshness=1)
        ** exponent
        for caution in (0.0, 2.0)
    }
    assert released[0.0].mean() == pytest.approx(0.935, abs=5e-3)
    assert released[2.0].mean() == pytest.approx(0.998, abs=1e-3)


@settings(max_examples=30)
@given(st.floats(0, 2), st.floats(0, 2))
def test_the_delivered_part_caps_each_measure_by_itself(quality, freshness):
    part = delivered_part(quality, freshness, promised_quality=1.0, promised_freshness=1.0)
    assert part == pytest.approx(min(1, quality) ** 0.5 * min(1, freshness) ** 0.5)


def test_values_by_hand():
    """V at the reference; nothing without quality or freshness; a quarter of the quality is half at e^Q = ½."""
    of = {"quality_elasticity": [0.5, 0.25], "freshness_elasticity": [0.5, 0.75]}
    of |= {"reference_quality": 0.8, "reference_freshness": 2.0}
    np.testing.assert_allclose(provider_values([10.0, 20.0], 0.8, 2.0, **of), [10, 20])
    np.testing.assert_allclose(provider_values([10.0, 20.0], 0.2, 2.0, **of), [5, 20 * 0.25**0.25])
    for quality, freshness in ((0.0, 2.0), (0.8, 0.0), (-0.1, 2.0)):
        assert not provider_values([10.0, 20.0], quality, freshness, **of).any()
    np.testing.assert_allclose(provider_values([10.0, 20.0], 80.0, 2.0, **of, most=1.5), [15, 30])
    assert measured_freshness([100.0, 1000.0, 100.0 / np.e], horizon_s=100.0) == pytest.approx([0, 0, 1])


@settings(max_examples=30)
@given(st.floats(0.01, 3), st.floats(0.01, 3), st.floats(0.05, 0.95), st.floats(0.01, 1))
def test_values_rise_and_are_concave(quality, freshness, elasticity, step):
    def value(q, f):
        return provider_values(
            1.0,
            q,
            f,
            quality_elasticity=elasticity,
            freshness_elasticity=1 - elasticity,
            reference_quality=1.0,
            reference_freshness=1.0,
        )[0]

    here, middle, there = (value(quality + i * step, freshness + i * step / 2) for i in range(3))
    assert here < middle < there
    assert middle >= 0.5 * (here + there) - 1e-12


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: release([1.5], 0.5, exponent=2.0),
        lambda: release([-1], 0.5, exponent=2.0),
        lambda: release([1], 1.5, exponent=2.0),
        lambda: release([1], 0.5, exponent=0.5),
        lambda: promised([1.0]),
        lambda: release_power(a=0.5, users=1, promised_epochs=5),
        lambda: release_power(a=0.5, users=10, promised_epochs=0.5),
    ],
)
def test_bad_input_is_one_sentence(wrong):
    with pytest.raises(InputError) as error:
        wrong()
    assert "\n" not in str(error.value)
