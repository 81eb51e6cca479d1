"""Execute a ledger's blocks again from its genesis and say which block and field does not hold."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from flnft_sim.chain.artifacts import CONTRACTS, artifact
from flnft_sim.chain.backend import ON_NODE, Built, Candidate, Genesis
from flnft_sim.chain.embedded import EmbeddedChain
from flnft_sim.chain.engine import BlockEnv
from flnft_sim.errors import FORMLESS, InputError, shown
from flnft_sim.ledger.errors import VerificationError

_ENV = ("number", "timestamp", "gas_limit", "coinbase", "prev_randao", "base_fee")
_HELD = ("status", "gas", "gas_used", "receipts_root", "logs_bloom", "state_root")


def replay(
    genesis: Mapping[str, Any], blocks: Iterable[Mapping[str, Any]], *, engine: str | None = None
) -> EmbeddedChain:
    """Rebuild a chain from `Genesis.to_dict` and the `Built.to_dict` of its blocks, by `engine` or its own.

    Returns the chain with its final state. Raises `VerificationError`, with the block's number and the field, where
    anything comes to something else than it says.
    """
    said = _genesis(genesis)
    on_node = said.engine == ON_NODE
    chain = EmbeddedChain(replace(said, engine=engine or (Genesis.engine if on_node else said.engine)))
    for record in blocks:
        _execute(chain, record, on_node=on_node)
    return chain


def _genesis(record: Mapping[str, Any]) -> Genesis:
    try:
        known = {name: record[name] for name in ("alloc", "chain_id", "fork", "engine")}
        hashes = record["artifacts"]
        genesis = Genesis(**known)
    except FORMLESS:
        raise VerificationError("the chain's genesis is none; its record was changed") from None
    for name in CONTRACTS:
        if hashes.get(name) != artifact(name).sha256:
            raise VerificationError(
                f"the chain's genesis names the contract {name} by SHA-256 {shown(hashes.get(name))}, this version "
                f"ships {artifact(name).sha256}; verify with the version that wrote it"
            )
    return genesis


def _execute(chain: EmbeddedChain, record: Mapping[str, Any], *, on_node: bool) -> Built:
    number = chain.last.number + 1
    try:
        env = BlockEnv(**{name: record[name] for name in _ENV} | {"prev_randao": bytes.fromhex(record["prev_randao"])})
        raws = [bytes.fromhex(raw) for raw in record["raw"]]
        said = {name: record[name] for name in _HELD}
    except FORMLESS:
        raise VerificationError(f"block {number} of the chain is none; its record was changed") from None
    if env.number != number or env.timestamp <= chain.last.timestamp:
        raise VerificationError(f"block {number} of the chain: its number or timestamp does not follow the one before")
    try:
        built = chain.build(env, [Candidate(raw, 0) for raw in raws])
    except InputError as error:
        raise VerificationError(f"block {number} of the chain, raw: {error}") from None
    found = built.to_dict()
    if on_node:
        found["state_root"] = ""  # which a node's blocks leave out
    for name in _HELD:
        if found[name] != said[name]:
            raise VerificationError(
                f"block {number} of the chain: its {name} is {shown(said[name], 60)}, executing it again gives "
                f"{shown(found[name], 60)}"
            )
    return built
