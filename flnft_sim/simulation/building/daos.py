"""Build the DAOs with their members, learners and ledgers."""

from functools import partial

import mesa
import numpy as np
import simpy

from flnft_sim.agents.dao.crowd import CrowdMembers
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.dao.members import Individuals, Membership
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.user import MetaverseUser
from flnft_sim.agents.world import World
from flnft_sim.clock.private_ledger import PrivateLedger
from flnft_sim.learning import SCHEMES
from flnft_sim.ledger import Chain, key_of
from flnft_sim.simulation.building.learners import build_learner, data_of, extent_of
from flnft_sim.simulation.building.private_ledger import build_private_consensus


def build_daos(model: mesa.Model, world: World, providers: list[ServiceProvider]) -> list[MuDao]:
    settings, streams = world.settings, world.streams
    population = settings.population
    low, high = settings.devices.cpu_ghz
    clocks_hz = streams.generator("devices").uniform(low * 1e9, high * 1e9, population.users)
    lots = streams.generator("inflating").permutation(population.users)
    inflates = lots < round(settings.market.voting.inflating_share * population.users)
    dataset = data_of(settings) if settings.learning.learner == "real" else None
    extent = extent_of(settings) if dataset is None else None
    daos = []
    for number in range(population.daos):
        numbers = np.arange(number, population.users, population.daos)
        consensus = build_private_consensus(settings, streams, number, len(numbers))
        ledger = PrivateLedger(world.env, consensus=consensus, chain=Chain(f"dao-{number}"))
        host = simpy.Resource(world.env) if settings.devices.hosting == "single-host" else None
        category = f"category-{number % population.categories}"
        members: Membership
        if population.moves_as_crowd(number):
            key = key_of(streams, MuDao.role, number)
            members = CrowdMembers(world, numbers, clocks_hz[numbers], inflates[numbers], ledger=ledger, key=key)
        else:
            users = [
                MetaverseUser(
                    model,
                    world,
                    user,
                    cpu_hz=float(clocks_hz[user]),
                    inflates=bool(inflates[user]),
                    ledger=ledger,
                    host=host,
                )
                for user in numbers.tolist()
            ]
            members = Individuals(world, users)
        dao = MuDao(
            model,
            world,
            number,
            members=members,
            buyers=[provider for provider in providers if provider.category == category],
            category=category,
            make_learner=partial(build_learner, settings, streams, dataset, extent, number, len(members)),
            scheme=SCHEMES.get(settings.learning.scheme)(),
            ledger=ledger,
            host=host,
            withdraws=number >= population.daos - settings.failures.withdrawing_daos,
        )
        daos.append(dao)
    return daos
