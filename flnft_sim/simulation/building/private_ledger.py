"""Build the consensus of a DAO's own ledger."""

from typing import TYPE_CHECKING

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.ledger import PROTOCOLS, Consensus, make_consensus
from flnft_sim.ledger.consensus import RequestHop
from flnft_sim.network import TOPOLOGIES, Jitter, link_delays
from flnft_sim.scenario import Scenario
from flnft_sim.scenario.schema import PrivateLedger as Ledger
from flnft_sim.streams import Streams

if TYPE_CHECKING:
    import networkx as nx

SLOW_FACTOR = 10.0  # a slow replica's messages take this many times as long


def build_private_consensus(settings: Scenario, streams: Streams, dao: int, members: int) -> Consensus:
    """A DAO's consensus: its first members keep a replica each, the one of their own number."""
    ledger, rng = settings.private_ledger, streams.generator("consensus", dao)
    told = ledger.told("protocol")
    if not PROTOCOLS.get(ledger.protocol).can_crash:
        return make_consensus(ledger.protocol, rng, **told)
    replicas = min(members, ledger.replicas_max)
    mean_s, sd_s = ledger.delay_ms / 1e3, ledger.delay_sd_ms / 1e3
    base_s = _link_delays_s(ledger, replicas, rng)
    slow = {replica: SLOW_FACTOR for replica in range(replicas - ledger.crashed)[-ledger.slow :] if ledger.slow}
    requests = streams.generator("requests", dao)
    return make_consensus(
        ledger.protocol,
        rng,
        replicas=replicas,
        delays=Jitter(base_s, mean_s=mean_s, sd_s=sd_s).draw,
        # The highest numbers are faulty, so that the first view's primary is not (primary_crash_s crashes it).
        crashed=tuple(range(replicas - ledger.crashed, replicas)),
        slow=slow,
        hop=RequestHop(base_s, mean_s, sd_s, requests, slow) if ledger.request_hop else None,
        **told,
    )


def edge_delays_s(settings: Scenario, streams: Streams, dao: int, members: int) -> Floats:
    """Mean delays from replica 0, the edge server, to each replica: (replicas,); one of 0 without replicas."""
    ledger = settings.private_ledger
    if not PROTOCOLS.get(ledger.protocol).can_crash:
        return np.zeros(1)
    return _link_delays_s(ledger, min(members, ledger.replicas_max), streams.generator("consensus", dao))[0]


def _link_delays_s(ledger: Ledger, replicas: int, rng: np.random.Generator) -> Floats:
    """Mean delays between all replicas, (n, n); what `replica_links` draws, if `rng` is as fresh."""
    return link_delays(replicas, topology=ledger.topology, mean_s=ledger.delay_ms / 1e3, rng=rng)


def replica_links(settings: Scenario, streams: Streams, dao: int, members: int) -> "nx.Graph":
    """The links between a DAO's replicas, numbered as its members; no nodes where its protocol has no replicas."""
    ledger = settings.private_ledger
    if not PROTOCOLS.get(ledger.protocol).can_crash:
        from networkx import Graph

        return Graph()
    replicas = min(members, ledger.replicas_max)
    return TOPOLOGIES.get(ledger.topology)(replicas, streams.generator("consensus", dao))
