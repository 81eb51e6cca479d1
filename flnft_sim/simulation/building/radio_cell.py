"""Build the radio cell in which users upload."""

import simpy

from flnft_sim.clock.radio_cell import RadioCell
from flnft_sim.network import TRACE_POINTS, Area, Links, RandomWaypoint, random_positions
from flnft_sim.scenario import Scenario
from flnft_sim.simulation.building.conduct import draw_conduct, names_of_one
from flnft_sim.spool import Spool
from flnft_sim.streams import Streams


def build_radio_cell(
    env: simpy.Environment, settings: Scenario, streams: Streams, *, spool: Spool | None = None
) -> RadioCell:
    radio, users = settings.radio, settings.population.users
    area = Area(*radio.area_m)
    if radio.placement == "trace":
        positions = TRACE_POINTS[:users]
    else:
        positions = random_positions(users, streams.generator("placement"), area)
    if len(names := names_of_one(draw_conduct(settings, streams))):
        positions = positions.copy()
        positions[names] = positions[names[0]]
    walks = radio.movement == "random-waypoint"
    mobility = (
        RandomWaypoint(positions, streams.generator("movement"), area=area, settings=radio) if walks else positions
    )
    links = Links(radio, mobility, rng=streams.generator("fading"), station_m=area.base_station_m)
    return RadioCell(env, links, spool=spool)
