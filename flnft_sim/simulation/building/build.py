"""Put the parts together: the world below the agents, then those who live in it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import mesa
import simpy

from flnft_sim.agents.belief_book import BeliefBook
from flnft_sim.agents.contract.contract import AuctionContract
from flnft_sim.agents.gas_money import GasMoney
from flnft_sim.agents.mechanisms import MECHANISMS, Parties
from flnft_sim.agents.onchain import OnChain
from flnft_sim.agents.outsider import Outsider
from flnft_sim.agents.reserve_book import ReserveBook
from flnft_sim.agents.settings import Settings, handed_in
from flnft_sim.agents.tokens import Tokens
from flnft_sim.agents.world import Records, Row, World
from flnft_sim.game import DemandRegimes
from flnft_sim.ledger import Accounts
from flnft_sim.market import RULES
from flnft_sim.results import SpanLog
from flnft_sim.scenario import Scenario
from flnft_sim.simulation.building.accounts import open_accounts
from flnft_sim.simulation.building.daos import build_daos
from flnft_sim.simulation.building.downlink import build_downlink
from flnft_sim.simulation.building.game_engine import build_game_engine
from flnft_sim.simulation.building.incentives import build_incentives
from flnft_sim.simulation.building.measures import build_measures
from flnft_sim.simulation.building.providers import build_providers
from flnft_sim.simulation.building.public_chain import build_public_chain
from flnft_sim.simulation.building.radio_cell import build_radio_cell
from flnft_sim.simulation.cast import Cast
from flnft_sim.spool import Spool
from flnft_sim.streams import Streams

WEI_A_GWEI = 10**9

if TYPE_CHECKING:
    from flnft_sim.simulation.building.execution import Contracts


def build_cast(
    model: mesa.Model, settings: Scenario, on_round: Callable[[Row], None] | None, spool: Spool | None = None
) -> Cast:
    """All mechanisms and agents of a scenario, accounts opened in the genesis block; no auction was ever held."""
    world = _world(settings, on_round, spool)
    providers = build_providers(model, world, settings)
    contract = AuctionContract(model, world, providers=providers, outsider=Outsider(model, world))
    daos = build_daos(model, world, settings, providers)
    parties = Parties(world=world, providers=providers, daos=daos, contract=contract)
    mechanism = MECHANISMS.get(settings.market.mechanism)(parties)
    return Cast(settings, world, providers, daos, contract, mechanism)


def _world(settings: Scenario, on_round: Callable[[Row], None] | None, spool: Spool | None) -> World:
    streams, env, population = Streams(settings.seed), simpy.Environment(), settings.population
    accounts, market = open_accounts(settings, streams), settings.market
    contracts = _contracts(settings, streams, accounts)
    public_chain = build_public_chain(env, settings, streams, accounts, contracts, spool=spool)
    worth = settings.game.valuation_money or settings.game.budget_money
    return World(
        settings=handed_in(Settings, settings),
        streams=streams,
        env=env,
        spans=SpanLog(spool=spool),
        records=Records(on_round, spool=spool),
        accounts=accounts,
        public_chain=public_chain,
        onchain=_onchain(settings, Tokens(public_chain.chain), contracts),
        gas_money=GasMoney(accounts, public_chain, price_wei=round(settings.public_chain.gas_price_gwei * WEI_A_GWEI)),
        cell=build_radio_cell(env, settings, streams, spool=spool),
        downlink=build_downlink(env, settings, streams),
        beliefs=BeliefBook(
            settings.game.belief.kind,
            settings.game.belief.told("kind"),
            providers=population.providers,
            prior_money=worth / (2 * population.providers),
            streams=streams,
        ),
        reserves=ReserveBook(fixed_money=market.reserve_money, prior_money=market.reserve_prior_money),
        demand=DemandRegimes(settings.game.demand, providers=population.providers, rng=streams.generator("demand")),
        rule_settings=RULES.settings(market.rule, **market.told("rule")),
        incentives=build_incentives(settings),
        engine=build_game_engine(settings),
        measures=build_measures(settings),
        spool=spool,
    )


def _contracts(settings: Scenario, streams: Streams, accounts: Accounts) -> "Contracts | None":
    """What executes contracts, where the scenario wants them executed: imported only then."""
    if settings.public_chain.backend == "model":
        return None
    from flnft_sim.simulation.building.execution import build_contracts

    return build_contracts(settings, streams, accounts)


def _onchain(settings: Scenario, tokens: Tokens, contracts: "Contracts | None") -> OnChain:
    if contracts is None:
        return OnChain(tokens)
    from flnft_sim.agents.executed.market import Executed

    chain = settings.public_chain
    return Executed(
        tokens, contracts.execution, contracts.addresses, opening_s=chain.opening_s, voting_s=chain.voting_s
    )
