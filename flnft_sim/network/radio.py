"""The radio's formulas: path loss, noise, and the rate of a link (the T^l of Eq. 11)."""

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.checks import not_negative, positive
from flnft_sim.errors import InputError

SPEED_OF_LIGHT_M_S = 299_792_458.0
THERMAL_NOISE_DBM_HZ = -174.0
EFFECTIVE_ENVIRONMENT_HEIGHT_M = 1.0  # h_E of TR 38.901 for street canyons

type FloatOrArray = float | np.ndarray


def uplink_rate(bandwidth_hz: ArrayLike, sinr: ArrayLike) -> FloatOrArray:
    """Rate of a link in bit/s: ω·log2(1 + SINR) (Eq. 11's denominator). SINR is a ratio, not dB; shapes broadcast.

    Raises `InputError` for a bandwidth that is not above zero and for a negative or NaN SINR.
    """
    bandwidth = positive("bandwidth_hz", bandwidth_hz, "Hz")
    ratio = not_negative("sinr", sinr)
    rate = bandwidth * np.log1p(ratio) / np.log(2.0)  # log1p keeps a deep fade's tiny rate above zero
    return _scalar_or_array(rate)


def path_loss_db(
    distance_2d_m: ArrayLike,
    *,
    carrier_ghz: float = 3.5,
    base_height_m: float = 10.0,
    user_height_m: float = 1.5,
) -> FloatOrArray:
    """Path loss in dB of 3GPP TR 38.901 UMi street canyon, line of sight, over the distance on the ground in m.

    32.4 + 21·log10(d₃D) + 20·log10(f_c) up to the breakpoint d'_BP = 4(h_BS − 1)(h_UT − 1)·f_c/c, beyond it
    32.4 + 40·log10(d₃D) + 20·log10(f_c) − 9.5·log10(d'_BP² + (h_BS − h_UT)²) (table 7.4.1-1). The two meet at the
    breakpoint. Distance 0 raises `InputError`: the formula holds from 10 m on, and two things cannot stand on one
    spot.
    """
    ground = np.asarray(distance_2d_m, dtype=float)
    if np.any(ground == 0.0):
        where = "" if ground.ndim == 0 else f" of user {int(np.argmin(np.ravel(ground)))}"
        raise InputError(f"distance{where} to the base station = 0 m: positions overlap; move one of them")
    positive("distance_2d_m", ground, "m")
    positive("carrier_ghz", carrier_ghz, "GHz")
    drop = base_height_m - user_height_m
    breakpoint_m = (
        4.0
        * (base_height_m - EFFECTIVE_ENVIRONMENT_HEIGHT_M)
        * (user_height_m - EFFECTIVE_ENVIRONMENT_HEIGHT_M)
        * (carrier_ghz * 1e9 / SPEED_OF_LIGHT_M_S)
    )
    log_slant = np.log10(np.hypot(ground, drop))
    near = 21.0 * log_slant
    far = 40.0 * log_slant - 9.5 * np.log10(breakpoint_m**2 + drop**2)
    loss = 32.4 + 20.0 * np.log10(carrier_ghz) + np.where(ground <= breakpoint_m, near, far)
    return _scalar_or_array(loss)


def noise_power_w(bandwidth_hz: float, noise_figure_db: float = 7.0) -> float:
    """Thermal noise of a receiver in W: −174 dBm/Hz over the band, plus its noise figure."""
    positive("bandwidth_hz", bandwidth_hz, "Hz")
    return dbm_to_w(THERMAL_NOISE_DBM_HZ + noise_figure_db) * bandwidth_hz


def dbm_to_w(level_dbm: float) -> float:
    """Power in W of a level in dBm."""
    return float(10.0 ** ((level_dbm - 30.0) / 10.0))


def _scalar_or_array(values: np.ndarray) -> FloatOrArray:
    return float(values) if values.ndim == 0 else values
