"""Put the parts together: the world below the agents, then those who live in it."""

from collections.abc import Callable

import mesa
import simpy

from flnft_sim.agents.belief_book import BeliefBook
from flnft_sim.agents.contract.contract import AuctionContract
from flnft_sim.agents.world import Records, Row, World
from flnft_sim.game import DemandRegimes
from flnft_sim.results import SpanLog
from flnft_sim.scenario import Scenario
from flnft_sim.simulation.building.accounts import open_accounts
from flnft_sim.simulation.building.daos import build_daos
from flnft_sim.simulation.building.providers import build_providers
from flnft_sim.simulation.building.public_chain import build_public_chain
from flnft_sim.simulation.building.radio_cell import build_radio_cell
from flnft_sim.simulation.foresight import foresee
from flnft_sim.streams import Streams


def build_world(model: mesa.Model, settings: Scenario, on_round: Callable[[Row], None]) -> World:
    """All mechanisms and agents of a scenario, accounts opened in the genesis block, history auctions played."""
    streams, env, population = Streams(settings.seed), simpy.Environment(), settings.population
    accounts = open_accounts(settings, streams)
    worth = settings.game.valuation_money or settings.game.budget_money
    world = World(
        settings=settings,
        streams=streams,
        env=env,
        spans=SpanLog(),
        records=Records(),
        accounts=accounts,
        public_chain=build_public_chain(env, settings, streams, accounts),
        cell=build_radio_cell(env, settings, streams),
        beliefs=BeliefBook(
            settings.game.belief.kind,
            settings.game.belief.told("kind"),
            providers=population.providers,
            prior_money=worth / (2 * population.providers),
            streams=streams,
        ),
        demand=DemandRegimes(settings.game.demand, providers=population.providers, rng=streams.generator("demand")),
        on_round=on_round,
    )
    world.providers += build_providers(model, world)
    world.contract = AuctionContract(model, world)
    world.daos += build_daos(model, world)
    foresee(world)
    world.contract.play_history(settings.game.history_auctions)
    return world
