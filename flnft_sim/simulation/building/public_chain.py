"""Build the public chain that everybody shares."""

from typing import TYPE_CHECKING, Any

import simpy

from flnft_sim.clock.public_chain import PublicChain
from flnft_sim.ledger import Accounts, Chain, OtherTraffic, make_consensus
from flnft_sim.machine import code_version
from flnft_sim.results.closing import digest_of
from flnft_sim.scenario import Scenario
from flnft_sim.spool import Spool
from flnft_sim.streams import Streams

if TYPE_CHECKING:
    from flnft_sim.simulation.building.execution import Contracts


def build_public_chain(
    env: simpy.Environment,
    settings: Scenario,
    streams: Streams,
    accounts: Accounts,
    contracts: "Contracts | None" = None,
    *,
    spool: Spool | None = None,
) -> PublicChain:
    chain, rng = settings.public_chain, streams.generator("blocks")
    consensus = make_consensus(chain.protocol, rng, **chain.told("protocol"))
    load = OtherTraffic(chain.load_tx_per_s, streams.generator("other traffic")) if chain.load_tx_per_s else None
    genesis: dict[str, Any] = {
        "balances": dict(accounts.opening_balances),
        "scenario": digest_of(settings.model_dump(mode="json")),
        "code": code_version(),
    }
    if contracts is not None:
        genesis["execution"] = contracts.record
    # An idle queue forgets within some 2/(1 − load)² blocks (its variance over its drift, squared), and a stall's
    # backlog is worked off in stall · load/(1 − load): of both, many times over.
    idle = 1 - chain.load
    forgets_s = chain.block_interval_s * (4096 + 64 / idle**2) + 4 * chain.stall_for_s / idle
    return PublicChain(
        env,
        consensus=consensus,
        chain=Chain("public", genesis=genesis, spool=spool),
        gas_limit=chain.gas_limit,
        traffic=load,
        forgets_s=forgets_s,
        execution=None if contracts is None else contracts.execution,
    )
