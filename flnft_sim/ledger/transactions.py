"""Signed transactions, and the receipt that says one is final."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from flnft_sim.errors import InputError, bare
from flnft_sim.ledger.canonical import canonical_json, sha256_hex
from flnft_sim.ledger.errors import VerificationError
from flnft_sim.ledger.keys import KeyPair, address_of, signature_holds

# Ethereum's price list (yellow paper, appendix G): every transaction, and every byte that it carries.
BASE_GAS = 21_000
GAS_PER_BYTE = 16


@dataclass(frozen=True)
class Transaction:
    """One signed statement on one chain. `fee` is what a unit of gas offers: it orders the mempool, it is no money."""

    chain: str
    kind: str
    sender: str
    public_key: str
    nonce: int
    payload: Mapping[str, Any]
    fee: int
    gas: int
    signature: str

    @classmethod
    def signed(
        cls,
        key: KeyPair,
        kind: str,
        payload: Mapping[str, Any],
        *,
        chain: str,
        nonce: int,
        fee: int = 1,
        gas: int | None = None,
        executes: bool = False,
    ) -> "Transaction":
        """Sign a payload for one chain (and no other). `gas` defaults to `intrinsic_gas` of the payload.

        What `executes` a contract's code takes the gas of that, and its payload only tells of it. Raises `InputError`
        for a payload that has no canonical form, a negative fee, or gas below the payload's own.
        """
        text = canonical_json(payload)
        least = intrinsic_gas(text)
        gas = least if gas is None else gas
        if gas < least and not executes:
            raise InputError(f"transaction {kind!r}: gas {gas} is below the {least} that its payload takes")
        if fee < 0:
            raise InputError(f"transaction {kind!r}: fee {fee} is negative; offer 0 or more")
        unsigned = {
            "chain": chain,
            "kind": kind,
            "sender": key.address,
            "public_key": key.public_key.hex(),
            "nonce": nonce,
            "payload": json.loads(text),  # a copy in plain JSON types: what is signed is what is stored
            "fee": fee,
            "gas": gas,
        }
        digest = sha256_hex(canonical_json(unsigned))
        transaction = cls(**unsigned, signature=key.sign(bytes.fromhex(digest)).hex())
        vars(transaction)["digest"] = digest  # as its property would find it
        return transaction

    @cached_property
    def digest(self) -> str:
        """The SHA-256, in hex, of the canonical JSON of everything but the signature: what is signed."""
        unsigned = self.to_dict()
        del unsigned["signature"]
        return sha256_hex(canonical_json(unsigned))

    def to_dict(self) -> dict[str, Any]:
        """All fields by name, in plain JSON types."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def verify(self) -> None:
        """Check that the sender is the key's address and the signature is the key's, or raise `VerificationError`."""
        key, signature = bytes.fromhex(self.public_key), bytes.fromhex(self.signature)
        if address_of(key) != self.sender:
            raise VerificationError(f"sender {bare(self.sender)} is not the address of its public key")
        if not signature_holds(key, bytes.fromhex(self.digest), signature):
            raise VerificationError(f"signature of {bare(self.sender)} does not hold")


@dataclass(frozen=True)
class Receipt:
    """A transaction is final: in which block, when, and how many seconds after it was submitted."""

    block_height: int
    time_s: float
    waited_s: float
    answer: Any = None
    """What a contract answered, where contracts are executed."""


def intrinsic_gas(payload_text: str) -> int:
    """The least gas of a transaction that carries this text."""
    return BASE_GAS + GAS_PER_BYTE * len(payload_text)
