"""The uplink of one cell, and how users walk about in it."""

from dataclasses import dataclass
from typing import Annotated

from flnft_sim.knobs import Knob, Settings

AREA_M = (1000.0, 1200.0)  # the paper's, width and height


@dataclass(frozen=True, kw_only=True)
class RadioSettings(Settings):
    """The uplink of one cell.

    The default band is one 20 MHz carrier at 3.5 GHz (5G band n78), which all uploads share: at the 7 to 35 dB that
    the trace points have, an MLP of 159,010 float32 parameters (5.1 Mbit) takes 0.02 to 0.1 s alone, and 0.2 to
    0.75 s when all ten users send at once.

    `cross_talk` is the part of another upload's received power density that lands in one's own sub-band; the default
    is the 30 dB of adjacent-channel leakage that 3GPP TS 38.101-1 allows a handset. 0 means no interference. Heights
    are above the 1 m of TR 38.901's h_E.
    """

    bandwidth_mhz: Annotated[
        float, Knob("ω, bandwidth of the shared uplink", unit="MHz", paper="Eq. 11", ge=1e-3, le=1e6)
    ] = 20.0
    carrier_ghz: Annotated[float, Knob("carrier frequency", unit="GHz", ge=0.01, le=1000)] = 3.5
    power_dbm: Annotated[float, Knob("transmit power", unit="dBm", ge=-100, le=100)] = 23.0
    noise_figure_db: Annotated[float, Knob("receiver noise figure", unit="dB", ge=0, le=100)] = 7.0
    base_height_m: Annotated[float, Knob("antenna height of the base station", unit="m", gt=1, le=1000)] = 10.0
    user_height_m: Annotated[float, Knob("antenna height of users", unit="m", gt=1, le=1000)] = 1.5
    shadowing_db: Annotated[float, Knob("standard deviation of log-normal shadowing", unit="dB", ge=0, le=50)] = 4.0
    rayleigh: Annotated[bool, Knob("Rayleigh fading, one draw an upload")] = False
    cross_talk: Annotated[
        float,
        Knob("part of other active uploads' power density that lands in one's own band (30 dB ACLR)", ge=0, le=1),
    ] = 1e-3

    @property
    def bandwidth_hz(self) -> float:
        """ω in Hz."""
        return self.bandwidth_mhz * 1e6


@dataclass(frozen=True, kw_only=True)
class DownlinkSettings(Settings):
    """What the base station sends with: holders of a licence fetch the model over its band of ω."""

    downlink_dbm: Annotated[
        float, Knob("transmit power of the base station (TR 38.901: 44 dBm in 20 MHz)", unit="dBm", ge=-100, le=100)
    ] = 44.0


@dataclass(frozen=True, kw_only=True)
class WalkSettings(Settings):
    """Random waypoint: uniform speed between waypoints, and a pause at each."""

    speed_m_s: Annotated[
        tuple[float, float],
        Knob("`random-waypoint`: walking speed, uniform", unit="m/s", ge=1e-3, le=1e3, rising=True),
    ] = (0.5, 2.0)
    pause_s: Annotated[float, Knob("`random-waypoint`: rest at each waypoint", unit="s", ge=0, le=1e9)] = 5.0
