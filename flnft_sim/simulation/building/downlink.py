"""Build the downlink over which holders of a licence fetch a model."""

from dataclasses import replace

import simpy

from flnft_sim.clock.downlink import Downlink
from flnft_sim.knobs import picked
from flnft_sim.network import Area, Links, RadioSettings, random_positions
from flnft_sim.scenario import Scenario
from flnft_sim.streams import Streams


def build_downlink(env: simpy.Environment, settings: Scenario, streams: Streams) -> Downlink:
    """The base station's band and power; providers stand anywhere in the area, and stay."""
    area = Area(*settings.radio.area_m)
    radio = replace(picked(RadioSettings, settings.radio), power_dbm=settings.radio.downlink_dbm, cross_talk=0.0)
    positions = random_positions(settings.population.providers, streams.generator("provider placement"), area)
    links = Links(radio, positions, rng=streams.generator("provider fading"), station_m=area.base_station_m)
    return Downlink(env, links)
