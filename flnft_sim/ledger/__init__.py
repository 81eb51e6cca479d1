"""Ledgers: signed transactions, hash-linked chains, consensus protocols, integer accounts, the NFT's document.

Pure: durations and blocks are computed here, waited for in `flnft_sim.clock`.
"""

from flnft_sim.ledger.accounts import MICRO, Accounts, InsufficientFunds, from_units, to_units
from flnft_sim.ledger.canonical import canonical_json, sha256_hex
from flnft_sim.ledger.chain import Block, Chain
from flnft_sim.ledger.consensus import (
    PROTOCOLS,
    BlockSlot,
    Consensus,
    PbftOutcome,
    make_consensus,
    pbft_latency,
)
from flnft_sim.ledger.errors import ConsensusStalled, VerificationError
from flnft_sim.ledger.keys import KeyPair, address_of, key_of, signature_holds
from flnft_sim.ledger.mempool import Mempool, OtherTraffic
from flnft_sim.ledger.nft import fl_nft_document, mint_payload, model_hash, parse_fl_nft
from flnft_sim.ledger.reading import read_ledger
from flnft_sim.ledger.transactions import LatePayload, Receipt, Transaction

__all__ = [
    "MICRO",
    "PROTOCOLS",
    "Accounts",
    "Block",
    "BlockSlot",
    "Chain",
    "Consensus",
    "ConsensusStalled",
    "InsufficientFunds",
    "KeyPair",
    "LatePayload",
    "Mempool",
    "OtherTraffic",
    "PbftOutcome",
    "Receipt",
    "Transaction",
    "VerificationError",
    "address_of",
    "canonical_json",
    "fl_nft_document",
    "from_units",
    "key_of",
    "make_consensus",
    "mint_payload",
    "model_hash",
    "parse_fl_nft",
    "pbft_latency",
    "read_ledger",
    "sha256_hex",
    "signature_holds",
    "to_units",
]
