"""Build the DAOs with their members, learners and ledgers."""

from dataclasses import dataclass
from functools import partial

import mesa
import numpy as np
import simpy

from flnft_sim.agents.conduct import SYBIL, Names
from flnft_sim.agents.dao.crowd import CrowdMembers
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.dao.members import Individuals, Membership
from flnft_sim.agents.dao.organisation import Parts
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.user import MetaverseUser
from flnft_sim.agents.world import World
from flnft_sim.arrays import Bools, Floats
from flnft_sim.clock.private_ledger import PrivateLedger
from flnft_sim.learning import SCHEMES
from flnft_sim.ledger import Chain, key_of
from flnft_sim.market import Content
from flnft_sim.scenario import Scenario
from flnft_sim.scenario.schema import Population
from flnft_sim.simulation.building.conduct import draw_conduct, names_of_one
from flnft_sim.simulation.building.foresight import foresee_minting
from flnft_sim.simulation.building.keywords import carried
from flnft_sim.simulation.building.learners import data_of, extent_of, learners_of
from flnft_sim.simulation.building.private_ledger import build_private_consensus, edge_delays_s
from flnft_sim.streams import Streams


def build_daos(model: mesa.Model, world: World, settings: Scenario, providers: list[ServiceProvider]) -> list[MuDao]:
    """All DAOs of a scenario, dealt out over the categories; the last ones withdraw before the auction."""
    population, streams, people = settings.population, world.streams, _People.of(settings, world.streams)
    dataset = data_of(settings) if settings.learning.learner == "real" else None
    extent = extent_of(settings) if dataset is None else None
    daos = []
    for number in range(population.daos):
        count = len(range(number, population.users, population.daos))
        consensus = build_private_consensus(settings, streams, number, count)
        ledger = PrivateLedger(world.env, consensus=consensus, chain=Chain(f"dao-{number}", spool=world.spool))
        host = simpy.Resource(world.env) if settings.devices.hosting == "single-host" else None
        content = Content(f"category-{number % population.categories}", carried(population, streams, number))
        parts = Parts(
            privacy_tastes=people.privacy_tastes[number :: population.daos],
            members=people.members(model, world, number, ledger, host),
            buyers=[provider for provider in providers if provider.wants(content.name)],
            category=content.name,
            make_learner=learners_of(settings, streams, dataset, extent, number, count),
            foresee=partial(foresee_minting, settings, streams, number),
            scheme=SCHEMES.get(settings.learning.scheme)(),
            ledger=ledger,
            host=host,
            replica_delays_s=edge_delays_s(settings, streams, number, count),
            idles=number < settings.failures.idle_daos,
            withdraws=number >= population.daos - settings.failures.withdrawing_daos,
        )
        daos.append(MuDao(model, world, number, parts))
    return daos


@dataclass(frozen=True)
class _People:
    """All users of a scenario, (N,) arrays over their numbers, before they are anybody's members."""

    population: Population
    cpu_hz: Floats
    inflates: Bools
    conduct: Names
    privacy_tastes: Floats

    @classmethod
    def of(cls, settings: Scenario, streams: Streams) -> "_People":
        """Draw each one's device, who asks for more than its due, what it does, and how dear privacy is to it."""
        users, (low, high) = settings.population.users, settings.devices.cpu_ghz
        tastes = settings.game.privacy_taste
        lots = streams.generator("inflating").permutation(users)
        conduct, cpu_hz = (
            draw_conduct(settings, streams),
            streams.generator("devices").uniform(low * 1e9, high * 1e9, users),
        )
        if len(names := names_of_one(conduct)):
            cpu_hz[names] = cpu_hz[names[0]]
        return cls(
            settings.population,
            cpu_hz,
            lots < round(settings.market.voting.inflating_share * users),
            conduct,
            streams.generator("privacy tastes").uniform(*tastes, users),
        )

    def members(
        self, model: mesa.Model, world: World, dao: int, ledger: PrivateLedger, host: simpy.Resource | None
    ) -> Membership:
        """The members of the DAO of that number: an agent each, or, where they are many, rows of arrays."""
        numbers = np.arange(dao, self.population.users, self.population.daos)
        if self.population.moves_as_crowd(dao):
            key, who = key_of(world.streams, MuDao.role, dao), (numbers, self.cpu_hz[numbers], self.inflates[numbers])
            return CrowdMembers(world, *who, ledger=ledger, key=key)
        shared = simpy.Resource(world.env) if host is None else host  # by the names of one user
        users = [
            MetaverseUser(
                model,
                world,
                number,
                cpu_hz=float(self.cpu_hz[number]),
                inflates=bool(self.inflates[number]),
                ledger=ledger,
                host=shared if self.conduct[number] == SYBIL else host,
            )
            for number in numbers.tolist()
        ]
        return Individuals(world, users, self.conduct[numbers])
