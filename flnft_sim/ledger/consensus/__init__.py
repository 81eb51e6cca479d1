"""Consensus protocols, one file each, behind one interface: `make_consensus(name, rng, **settings).next_block(t)`."""

from flnft_sim.ledger.consensus.base import PROTOCOLS, BlockSlot, Consensus, make_consensus
from flnft_sim.ledger.consensus.instant import Instant, InstantSettings
from flnft_sim.ledger.consensus.pbft import Pbft, PbftSettings
from flnft_sim.ledger.consensus.pbft_latency import PbftOutcome, faults_tolerated, pbft_latency, quorum
from flnft_sim.ledger.consensus.pos import PosSettings, ProofOfStake
from flnft_sim.ledger.consensus.pow import MiningRace, PowSettings, ProofOfWork
from flnft_sim.ledger.consensus.request import RequestHop

__all__ = [
    "PROTOCOLS",
    "BlockSlot",
    "Consensus",
    "Instant",
    "InstantSettings",
    "MiningRace",
    "Pbft",
    "PbftOutcome",
    "PbftSettings",
    "PosSettings",
    "PowSettings",
    "ProofOfStake",
    "ProofOfWork",
    "RequestHop",
    "faults_tolerated",
    "make_consensus",
    "pbft_latency",
    "quorum",
]
