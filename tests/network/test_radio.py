"""The radio's formulas against values worked out by hand from 3GPP TR 38.901 and Shannon's law."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.network import RadioSettings, noise_power_w, path_loss_db, uplink_rate

# 4·(10 − 1)·(1.5 − 1)·3.5e9/299792458
BREAKPOINT_M = 210.145


def test_rate_is_shannons() -> None:
    assert uplink_rate(1e6, 1.0) == pytest.approx(1e6)
    assert uplink_rate(20e6, 1023.0) == pytest.approx(200e6)
    assert uplink_rate(1e6, 0.0) == 0.0
    np.testing.assert_allclose(uplink_rate([1e6, 2e6], [3.0, 7.0]), [2e6, 6e6])


def test_rate_of_a_deep_fade_stays_above_zero() -> None:
    assert uplink_rate(1e6, 1e-20) == pytest.approx(1e6 * 1e-20 / math.log(2), rel=1e-12)


@given(st.floats(1.0, 1e9), st.floats(0.0, 1e9), st.floats(1.0, 10.0))
def test_rate_is_linear_in_bandwidth_and_grows_with_sinr(band: float, sinr: float, factor: float) -> None:
    assert uplink_rate(band * factor, sinr) == pytest.approx(factor * uplink_rate(band, sinr))
    assert uplink_rate(band, sinr * factor) >= uplink_rate(band, sinr)


@pytest.mark.parametrize("band", [0.0, -1.0, math.nan, math.inf])
def test_rate_refuses_a_band_that_is_none(band: float) -> None:
    with pytest.raises(InputError, match="bandwidth_hz"):
        uplink_rate(band, 1.0)


@pytest.mark.parametrize("sinr", [-0.1, math.nan, math.inf])
def test_rate_refuses_a_sinr_that_is_none(sinr: float) -> None:
    with pytest.raises(InputError, match=r"sinr\[1\]"):
        uplink_rate(1e6, np.array([1.0, sinr]))


def test_path_loss_before_and_beyond_the_breakpoint() -> None:
    near_3d = math.hypot(100.0, 8.5)
    assert path_loss_db(100.0) == pytest.approx(32.4 + 21 * math.log10(near_3d) + 20 * math.log10(3.5))
    far_3d = math.hypot(500.0, 8.5)
    assert path_loss_db(500.0) == pytest.approx(
        32.4 + 40 * math.log10(far_3d) + 20 * math.log10(3.5) - 9.5 * math.log10(BREAKPOINT_M**2 + 8.5**2),
        abs=1e-4,
    )


def test_path_loss_is_continuous_at_the_breakpoint() -> None:
    before, after = path_loss_db([BREAKPOINT_M - 0.01, BREAKPOINT_M + 0.01])
    assert 0.0 < after - before < 2e-3


@given(st.floats(1.0, 4999.0), st.floats(0.01, 1000.0))
def test_path_loss_grows_with_distance(distance_m: float, further_m: float) -> None:
    assert path_loss_db(distance_m + further_m) > path_loss_db(distance_m)


def test_standing_on_the_base_station_is_named() -> None:
    with pytest.raises(InputError, match=r"user 2 .*overlap"):
        path_loss_db([5.0, 7.0, 0.0])
    with pytest.raises(InputError, match="distance_2d_m"):
        path_loss_db(math.nan)


def test_noise_of_20_mhz() -> None:
    # −174 + 7 + 10·log10(20e6) = −93.99 dBm
    assert 10 * math.log10(noise_power_w(20e6) * 1e3) == pytest.approx(-93.9897, abs=1e-4)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bandwidth_mhz", 0.0),
        ("bandwidth_mhz", math.nan),
        ("carrier_ghz", -3.5),
        ("shadowing_db", -1.0),
        ("base_height_m", 1.0),
        ("user_height_m", math.nan),
        ("power_dbm", math.inf),
        ("cross_talk", 1.5),
        ("cross_talk", math.nan),
    ],
)
def test_settings_name_the_field_that_is_wrong(field: str, value: float) -> None:
    with pytest.raises(InputError, match=f"RadioSettings: {field}"):
        RadioSettings(**{field: value})
