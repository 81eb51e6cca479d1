"""Build the radio cell in which users upload."""

import simpy

from flnft_sim.clock.radio_cell import RadioCell
from flnft_sim.network import TRACE_POINTS, Area, Links, RadioSettings, RandomWaypoint, WalkSettings, random_positions
from flnft_sim.scenario import Scenario
from flnft_sim.streams import Streams


def build_radio_cell(env: simpy.Environment, settings: Scenario, streams: Streams) -> RadioCell:
    radio, users = settings.radio, settings.population.users
    area = Area(*radio.area_m)
    if radio.placement == "trace":
        positions = TRACE_POINTS[:users]
    else:
        positions = random_positions(users, streams.generator("placement"), area)
    walk = WalkSettings(speed_low_m_s=radio.speed_m_s[0], speed_high_m_s=radio.speed_m_s[1], pause_s=radio.pause_s)
    walks = radio.movement == "random-waypoint"
    mobility = (
        RandomWaypoint(positions, streams.generator("movement"), area=area, settings=walk) if walks else positions
    )
    signal = RadioSettings(
        bandwidth_hz=radio.bandwidth_mhz * 1e6,
        carrier_ghz=radio.carrier_ghz,
        power_dbm=radio.power_dbm,
        noise_figure_db=radio.noise_figure_db,
        base_height_m=radio.base_height_m,
        user_height_m=radio.user_height_m,
        shadowing_db=radio.shadowing_db,
        rayleigh=radio.rayleigh,
        cross_talk=radio.cross_talk,
    )
    links = Links(signal, mobility, rng=streams.generator("fading"), station_m=area.base_station_m)
    return RadioCell(env, links)
