"""Signed transactions, and the receipt that says one is final."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from flnft_sim.errors import InputError, bare
from flnft_sim.late import late, made
from flnft_sim.ledger.canonical import canonical_json, sha256_hex
from flnft_sim.ledger.errors import VerificationError
from flnft_sim.ledger.keys import KeyPair, address_of, signature_holds

# Ethereum's price list (yellow paper, appendix G): every transaction, and every byte that it carries.
BASE_GAS = 21_000
GAS_PER_BYTE = 16

_LONGEST = 2**64  # of whole numbers that are not looked at before they are written


@dataclass(frozen=True)
class LatePayload:
    """A payload that is written when somebody reads it, but whose length, and so its gas, is known before."""

    length: int
    """Of its canonical JSON."""
    make: Callable[[], Mapping[str, Any]]


type Use = tuple[str, int]
"""Sender and nonce: no other transaction of a chain has both."""

type Payload = Mapping[str, Any] | LatePayload


@late("payload", "gas", "signature")
@dataclass(frozen=True)
class Transaction:
    """One signed statement on one chain. `fee` is what a unit of gas offers: it orders the mempool, it is no money.

    One that was signed here works out its digest and its signature when they are asked for.
    """

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
        payload: Payload,
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
        if fee < 0:
            raise InputError(f"transaction {kind!r}: fee {fee} is negative; offer 0 or more")
        content: dict[str, Any]
        if isinstance(payload, LatePayload):
            content, length = {"_later": payload.make}, payload.length
        elif gas is None and all(map(_is_plain, payload, payload.values())):
            content, length = {"payload": dict(payload)}, None  # of as much gas as it turns out to be long
        else:  # what is signed is what it is now
            content = {"payload_text": (text := canonical_json(payload))}
            length = len(text)
        if length is not None:
            least = intrinsic_gas(length)
            content["gas"] = least if gas is None else gas
            if content["gas"] < least and not executes:
                raise InputError(f"transaction {kind!r}: gas {gas} is below the {least} that its payload takes")
        return made(
            cls,
            chain=chain,
            kind=kind,
            sender=key.address,
            public_key=key.public_hex,
            nonce=nonce,
            fee=fee,
            _key=key,
            **content,
        )

    @property
    def use(self) -> Use:
        """What names it on its chain."""
        return self.sender, self.nonce

    @cached_property
    def payload_text(self) -> str:
        """The canonical JSON of the payload."""
        later: Callable[[], Mapping[str, Any]] | None = vars(self).get("_later")
        text = canonical_json(self.payload if later is None else later())
        vars(self).pop("_later", None)
        return text

    def _find_gas(self) -> int:
        return intrinsic_gas(len(self.payload_text))

    def _find_payload(self) -> Mapping[str, Any]:
        payload: Mapping[str, Any] = json.loads(self.payload_text)
        return payload

    def _find_signature(self) -> str:
        key: KeyPair = vars(self).pop("_key")
        return key.sign(bytes.fromhex(self.digest)).hex()

    @cached_property
    def digest(self) -> str:
        """The SHA-256, in hex, of the canonical JSON of everything but the signature: what is signed."""
        return sha256_hex(f"{self._unsigned()}}}")

    def to_text(self) -> str:
        """The canonical JSON of all fields."""
        unsigned = self._unsigned()
        vars(self).setdefault("digest", sha256_hex(f"{unsigned}}}"))
        return f'{unsigned},"signature":{canonical_json(self.signature)}}}'

    def _unsigned(self) -> str:
        """The members of the canonical JSON that are signed, in their order, without its end."""
        text = canonical_json
        return (
            f'{{"chain":{text(self.chain)},"fee":{text(self.fee)},"gas":{text(self.gas)},"kind":{text(self.kind)},'
            f'"nonce":{text(self.nonce)},"payload":{self.payload_text},"public_key":{text(self.public_key)},'
            f'"sender":{text(self.sender)}'
        )

    def verify(self) -> None:
        """Check that the sender is the key's address and the signature is the key's, or raise `VerificationError`."""
        key, signature = bytes.fromhex(self.public_key), bytes.fromhex(self.signature)
        if address_of(key) != self.sender:
            raise VerificationError(f"sender {bare(self.sender)} is not the address of its public key")
        if not signature_holds(key, bytes.fromhex(self.digest), signature):
            raise VerificationError(f"signature of {bare(self.sender)} does not hold")


def _is_plain(name: Any, value: Any) -> bool:
    """Whether a member of a payload never changes, and has a canonical form whatever it is."""
    return type(name) is str and (type(value) in (str, bool) or (type(value) is int and abs(value) < _LONGEST))


class Receipt(NamedTuple):
    """A transaction is final: in which block, when, and how many seconds after it was submitted."""

    block_height: int
    time_s: float
    waited_s: float
    answer: Any = None
    """What a contract answered, where contracts are executed."""


def intrinsic_gas(length: int) -> int:
    """The least gas of a transaction that carries a text of that length."""
    return BASE_GAS + GAS_PER_BYTE * length
