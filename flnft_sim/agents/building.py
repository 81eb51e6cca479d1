"""Build the world of a scenario: mechanisms from their settings, agents from their numbers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import mesa
import numpy as np
import simpy

from flnft_sim.agents.actor import key_of
from flnft_sim.agents.belief_book import BeliefBook
from flnft_sim.agents.contract import AuctionContract
from flnft_sim.agents.crowd_members import CrowdMembers, crowd_address
from flnft_sim.agents.dao import MuDao
from flnft_sim.agents.foresight import foresee
from flnft_sim.agents.membership import Individuals, Membership
from flnft_sim.agents.private_ledger import PrivateLedger
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.public_chain import PublicChain
from flnft_sim.agents.radio_cell import RadioCell
from flnft_sim.agents.user import MetaverseUser
from flnft_sim.agents.world import Records, Row, World
from flnft_sim.game import DemandRegimes
from flnft_sim.learning import (
    SCHEMES,
    CentralizedLearner,
    Dataset,
    Extent,
    FederatedLearner,
    Learner,
    SurrogateLearner,
    build_model,
    load_curve,
    load_dataset,
    load_extent,
    partition,
)
from flnft_sim.ledger import Accounts, Chain, Consensus, OtherTraffic, make_consensus, to_units
from flnft_sim.ledger.consensus import RequestHop
from flnft_sim.network import (
    TRACE_POINTS,
    Area,
    Links,
    RadioSettings,
    RandomWaypoint,
    WalkSettings,
    link_delays,
    random_positions,
    with_jitter,
)
from flnft_sim.results import SpanLog
from flnft_sim.scenario import Scenario
from flnft_sim.scenario.schema import TRAFFIC_GAS
from flnft_sim.streams import Streams

# What a surrogate learner must know of data it does not load: image shape, training samples; ten classes each.
SHAPES = {"digits": ((1, 8, 8), 1437), "mnist": ((1, 28, 28), 50_000), "cifar10": ((3, 32, 32), 50_000)}
CLASSES = 10
SLOW_FACTOR = 10.0  # a slow replica's messages take this many times as long


def build_world(model: mesa.Model, settings: Scenario, on_round: Callable[[Row], None]) -> World:
    """All mechanisms and agents of a scenario, accounts opened in the genesis block, history auctions played."""
    streams, env, population = Streams(settings.seed), simpy.Environment(), settings.population
    accounts = _accounts(settings, streams)
    worth = settings.game.valuation_money or settings.game.budget_money
    world = World(
        settings=settings,
        streams=streams,
        env=env,
        spans=SpanLog(),
        records=Records(),
        accounts=accounts,
        public_chain=_public_chain(env, settings, streams, accounts),
        cell=_radio_cell(env, settings, streams),
        beliefs=BeliefBook(
            settings.game.belief,
            providers=population.providers,
            prior_money=worth / (2 * population.providers),
            streams=streams,
        ),
        demand=DemandRegimes(
            providers=population.providers, rng=streams.generator("demand"), **settings.game.demand.model_dump()
        ),
        on_round=on_round,
    )
    world.providers += _providers(model, world)
    world.contract = AuctionContract(model, world)
    world.daos += _daos(model, world)
    foresee(world)
    world.contract.play_history(settings.game.history_auctions)
    return world


def _accounts(settings: Scenario, streams: Streams) -> Accounts:
    """Everybody's account: providers can lock a budget in every measured auction, the contract can cover deficits."""
    accounts, population = Accounts(), settings.population
    stake = to_units(settings.game.budget_money) * settings.market.auctions
    for number in range(population.providers):
        accounts.open(key_of(streams, ServiceProvider.role, number).address, stake)
    accounts.open(key_of(streams, AuctionContract.role, 0).address, to_units(settings.market.auctioneer_money))
    for number in range(population.daos):
        accounts.open(key_of(streams, MuDao.role, number).address)
    for number in range(population.users):
        alone = not _moves_as_crowd(settings, number % population.daos)
        accounts.open(
            key_of(streams, MetaverseUser.role, number).address if alone else crowd_address(settings.seed, number)
        )
    return accounts


def _moves_as_crowd(settings: Scenario, dao: int) -> bool:
    population = settings.population
    return len(range(dao, population.users, population.daos)) >= population.crowd_from


# ---- mechanisms -----------------------------------------------------------------------------------------------------


def _public_chain(env: simpy.Environment, settings: Scenario, streams: Streams, accounts: Accounts) -> PublicChain:
    chain, rng = settings.public_chain, streams.generator("blocks")
    options: dict[str, dict[str, Any]] = {
        "pow": {
            "mean_interval_s": chain.block_interval_s,
            "miners": chain.miners,
            "propagation_s": chain.propagation_s,
            "confirmations": chain.confirmations,
        },
        "pos": {"slot_s": chain.block_interval_s},
    }
    consensus = make_consensus(chain.protocol, rng, **options.get(chain.protocol, {}))
    load = (
        OtherTraffic(chain.load_tx_per_s, streams.generator("other traffic"), gas=TRAFFIC_GAS)
        if chain.load_tx_per_s
        else None
    )
    genesis = {"balances": dict(accounts.opening_balances)}
    # An idle queue forgets within some 2/(1 − load)² blocks (its variance over its drift, squared), and a stall's
    # backlog is worked off in stall · load/(1 − load): of both, many times over.
    idle = 1 - chain.load
    forgets_s = chain.block_interval_s * (4096 + 64 / idle**2) + 4 * chain.stall_for_s / idle
    return PublicChain(
        env,
        consensus=consensus,
        chain=Chain("public", genesis=genesis),
        gas_limit=chain.gas_limit,
        traffic=load,
        forgets_s=forgets_s,
    )


def _radio_cell(env: simpy.Environment, settings: Scenario, streams: Streams) -> RadioCell:
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


def _private_consensus(settings: Scenario, streams: Streams, dao: int, members: int) -> Consensus:
    """A DAO's consensus: its first members keep a replica each, the one of their own number."""
    ledger, rng = settings.private_ledger, streams.generator("consensus", dao)
    replicas = min(members, ledger.replicas_max)
    if ledger.protocol != "pbft":
        return make_consensus(ledger.protocol, rng)
    mean_s, sd_s = ledger.delay_ms / 1e3, ledger.delay_sd_ms / 1e3
    base_s = link_delays(replicas, topology=ledger.topology, mean_s=mean_s, rng=rng)
    slow = {replica: SLOW_FACTOR for replica in range(replicas - ledger.crashed)[-ledger.slow :] if ledger.slow}
    requests = streams.generator("requests", dao)
    return make_consensus(
        "pbft",
        rng,
        replicas=replicas,
        delays=lambda draws: with_jitter(base_s, mean_s=mean_s, sd_s=sd_s, rng=draws),
        timeout_s=ledger.timeout_s,
        # The highest numbers are faulty, so that the first view's primary is not (primary_crash_s crashes it).
        crashed=tuple(range(replicas - ledger.crashed, replicas)),
        slow=slow,
        hop=RequestHop(base_s, mean_s, sd_s, requests, slow) if ledger.request_hop else None,
    )


# ---- agents ---------------------------------------------------------------------------------------------------------


def _providers(model: mesa.Model, world: World) -> list[ServiceProvider]:
    population, game = world.settings.population, world.settings.game
    spread = world.streams.generator("elasticities").uniform(-1.0, 1.0, population.providers) * game.elasticity_spread
    overspenders = population.providers - world.settings.failures.overspenders
    return [
        ServiceProvider(
            model,
            world,
            number,
            category=f"category-{number % population.categories}",
            quality_elasticity=game.quality_elasticity + float(spread[number]),
            overspends=number >= overspenders,
        )
        for number in range(population.providers)
    ]


def _daos(model: mesa.Model, world: World) -> list[MuDao]:
    settings, streams = world.settings, world.streams
    population = settings.population
    low, high = settings.devices.cpu_ghz
    clocks_hz = streams.generator("devices").uniform(low * 1e9, high * 1e9, population.users)
    lots = streams.generator("inflating").permutation(population.users)
    inflates = lots < round(settings.market.voting.inflating_share * population.users)
    dataset = _dataset(settings) if settings.learning.learner == "real" else None
    extent = _extent(settings) if dataset is None else None
    daos = []
    for number in range(population.daos):
        numbers = np.arange(number, population.users, population.daos)
        members: Membership
        if _moves_as_crowd(settings, number):
            members = CrowdMembers(world, numbers, clocks_hz[numbers], inflates[numbers])
        else:
            users = [
                MetaverseUser(model, world, user, cpu_hz=float(clocks_hz[user]), inflates=bool(inflates[user]))
                for user in numbers.tolist()
            ]
            members = Individuals(world, users)
        consensus = _private_consensus(settings, streams, number, len(members))
        dao = MuDao(
            model,
            world,
            number,
            members=members,
            category=f"category-{number % population.categories}",
            make_learner=partial(_learner, settings, streams, dataset, extent, number, len(members)),
            scheme=SCHEMES.get(settings.learning.scheme)(),
            ledger=PrivateLedger(world.env, consensus=consensus, chain=Chain(f"dao-{number}")),
            host=simpy.Resource(world.env) if settings.devices.hosting == "single-host" else None,
            withdraws=number >= population.daos - settings.failures.withdrawing_daos,
        )
        daos.append(dao)
    return daos


def _dataset(settings: Scenario) -> Dataset:
    learning = settings.learning
    return load_dataset(learning.dataset, data_dir=learning.data_dir, split=learning.split, seed=settings.seed)


def _extent(settings: Scenario) -> Extent:
    """One for all surrogate learners of a run: what any of them meets outside the fit is told of the run."""
    learning = settings.learning
    pooled = SCHEMES.get(learning.scheme).centralized
    remark = (f"scheme {learning.scheme} pools the data (fitted to averaged updates)",) if pooled else ()
    return load_extent(learning.dataset, learning.model, *remark)


def _learner(
    settings: Scenario,
    streams: Streams,
    dataset: Dataset | None,
    extent: Extent | None,
    dao: int,
    users: int,
    episode: int,
) -> Learner:
    """A fresh learner for one minting of one DAO; every DAO deals the same data out in its own way."""
    learning = settings.learning
    scheme = SCHEMES.get(learning.scheme)
    seed = streams.integer("learning", dao, episode)
    if dataset is None:
        shape, samples = SHAPES[learning.dataset]
        return SurrogateLearner(
            load_curve(learning.dataset, learning.model),
            build_model(learning.model, shape, CLASSES, dropout=learning.dropout),
            np.full(users, learning.samples_per_user or max(1, samples // users)),
            batch_size=learning.batch_size,
            sensitivity=learning.sensitivity,
            clip_l1=learning.clip_l1,
            adds_noise=scheme.adds_noise and learning.perturb != "none",
            seed=seed,
            extent=extent,
        )
    shards = partition(
        learning.partition.kind,
        dataset.train_y,
        users,
        rng=streams.generator("partition", dao),
        **_partition_options(settings),
    )
    kind = CentralizedLearner if scheme.centralized else FederatedLearner
    return kind(
        dataset,
        build_model(learning.model, dataset.input_shape, dataset.classes, dropout=learning.dropout),
        shards,
        aggregator=learning.aggregator,
        batch_size=learning.batch_size,
        lr=learning.learning_rate,
        momentum=learning.momentum,
        perturb=learning.perturb,
        sensitivity=learning.sensitivity,
        clip_l1=learning.clip_l1,
        engine=learning.engine,
        device=learning.device,
        seed=seed,
        adds_noise=scheme.adds_noise,
    )


def _partition_options(settings: Scenario) -> dict[str, Any]:
    chosen = settings.learning.partition
    options: dict[str, dict[str, Any]] = {
        "dirichlet": {"alpha": chosen.alpha},
        "shards": {"n": chosen.shards_per_user},
        "sizes": {"sizes": chosen.sizes},
    }
    return options.get(chosen.kind, {})
