"""Where users stand, how they walk, and what their links are worth."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import pdist
from scipy.special import exp1

from flnft_sim.errors import InputError
from flnft_sim.network import (
    TRACE_POINTS,
    Area,
    Fixed,
    Links,
    RadioSettings,
    RandomWaypoint,
    WalkSettings,
    distances_m,
    path_loss_db,
    random_positions,
    uplink_rate,
)


def test_trace_points_are_ten_well_apart_in_the_area_and_off_the_station() -> None:
    area = Area()
    assert TRACE_POINTS.shape == (10, 2)
    assert np.all((TRACE_POINTS > 0) & (area.size_m > TRACE_POINTS))
    assert pdist(TRACE_POINTS).min() > 280.0
    assert distances_m(TRACE_POINTS, area.base_station_m).min() > 60.0
    assert distances_m(TRACE_POINTS, area.base_station_m).max() < 590.0
    with pytest.raises(ValueError, match="read-only"):
        TRACE_POINTS[0, 0] = 1.0


def test_random_positions_are_uniform_in_the_area() -> None:
    positions = random_positions(20_000, np.random.default_rng(0), Area(50.0, 80.0))
    assert stats.kstest(positions[:, 0] / 50.0, "uniform").pvalue > 1e-3
    assert stats.kstest(positions[:, 1] / 80.0, "uniform").pvalue > 1e-3
    with pytest.raises(InputError, match="positions"):
        random_positions(-1, np.random.default_rng(0))


@given(st.lists(st.floats(0.0, 5e3), min_size=1, max_size=20), st.integers(0, 99))
@settings(max_examples=30)
def test_a_walk_does_not_depend_on_when_it_is_looked_at(times: list[float], seed: int) -> None:
    start = random_positions(5, np.random.default_rng(seed))
    often, once = (RandomWaypoint(start, np.random.default_rng(seed)) for _ in range(2))
    for time_s in sorted(times):
        seen = often.positions_m(time_s)
    np.testing.assert_array_equal(seen, once.positions_m(max(times)))


def test_walkers_stay_in_the_area_and_keep_their_speed() -> None:
    walk = WalkSettings(speed_m_s=(1.0, 3.0), pause_s=2.0)
    mobility = RandomWaypoint(TRACE_POINTS, np.random.default_rng(4), settings=walk)
    before = mobility.positions_m(0.0)
    np.testing.assert_array_equal(before, TRACE_POINTS)
    speeds = []
    for second in range(1, 3000):
        after = mobility.positions_m(float(second))
        assert np.all((after >= 0) & (after <= Area().size_m))
        speeds.append(np.hypot(*(after - before).T))
        before = after
    assert 2.9 < np.max(speeds) <= 3.0 + 1e-9
    walking = np.array(speeds)[np.array(speeds) > 0]
    assert np.quantile(walking, 0.05) >= 0.9  # whole seconds under way are never slower than 1 m/s
    assert np.any(np.array(speeds) == 0)  # pauses


def test_without_shadowing_the_snr_is_the_link_budget() -> None:
    links = Links(RadioSettings(shadowing_db=0.0), TRACE_POINTS, rng=np.random.default_rng(0))
    loss_db = path_loss_db(distances_m(TRACE_POINTS, Area().base_station_m))
    budget_db = 23.0 - loss_db - (-174.0 + 7.0 + 10 * math.log10(20e6))
    np.testing.assert_allclose(10 * np.log10(links.mean_snrs()), budget_db)


def test_shadowing_is_log_normal_once_a_user() -> None:
    ring = 200.0 * np.column_stack([np.cos(np.arange(20_000.0)), np.sin(np.arange(20_000.0))])
    station = np.zeros(2)
    shadowed, plain = (
        Links(RadioSettings(shadowing_db=db), ring, rng=np.random.default_rng(0), station_m=station)
        for db in (4.0, 0.0)
    )
    shadow_db = 10 * np.log10(shadowed.mean_snrs() / plain.mean_snrs())
    assert stats.kstest(shadow_db / 4.0, "norm").pvalue > 1e-3
    np.testing.assert_array_equal(shadowed.mean_snrs(), shadowed.mean_snrs())


def test_rayleigh_fading_has_its_ergodic_rate() -> None:
    """E[log2(1 + γX)], X ~ Exp(1), is e^(1/γ)·E₁(1/γ)/ln 2."""
    user = np.array([[500.0, 800.0]])
    links = Links(RadioSettings(rayleigh=True, shadowing_db=0.0), user, rng=np.random.default_rng(0))
    mean_snr = links.mean_snrs()[0]
    snrs = np.array([links.snr(0, upload, 0.0) for upload in range(20_000)])
    assert stats.kstest(snrs / mean_snr, "expon").pvalue > 1e-3
    ergodic = math.exp(1 / mean_snr) * exp1(1 / mean_snr) / math.log(2)
    assert np.mean(uplink_rate(1.0, snrs)) == pytest.approx(ergodic, rel=0.01)


def test_fading_leaves_shadowing_alone() -> None:
    faded, plain = (
        Links(RadioSettings(rayleigh=on), TRACE_POINTS, rng=np.random.default_rng(3)) for on in (True, False)
    )
    faded.fading(0, 5)
    np.testing.assert_array_equal(faded.mean_snrs(), plain.mean_snrs())
    assert plain.fading(0, 5) == 1.0


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="positions_m"):
        Fixed(np.array([[1.0, math.nan]]))
    with pytest.raises(InputError, match="positions_m"):
        Fixed(np.array([1.0, 2.0]))
    with pytest.raises(InputError, match=r"speed_m_s = \(0\.0, 1\.0\): should be"):
        WalkSettings(speed_m_s=(0.0, 1.0))
    with pytest.raises(InputError, match="the range is reversed"):
        WalkSettings(speed_m_s=(2.0, 1.0))
    with pytest.raises(InputError, match=r"area\.height_m"):
        Area(1.0, math.nan)
    links = Links(RadioSettings(), TRACE_POINTS, rng=np.random.default_rng(3))
    with pytest.raises(InputError, match="user 10"):
        links.snr(10, 0, 0.0)
