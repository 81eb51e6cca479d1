"""secp256k1 keys: who signs on an EVM chain, and the address that others know it by."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from flnft_sim.errors import InputError
from flnft_sim.ledger.keccak import keccak
from flnft_sim.ledger.keys import SEED_BYTES, seed_bytes
from flnft_sim.streams import Streams

MNEMONIC = "FLNFT_MNEMONIC"
_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


@dataclass(frozen=True)
class ChainKey:
    """A signing key and its address. It is printed without its secret."""

    secret: bytes

    @classmethod
    def from_seed(cls, seed: bytes | np.random.SeedSequence) -> "ChainKey":
        """The key of 32 seed bytes, or of a random stream's `SeedSequence`; the same seed gives the same key."""
        number = int.from_bytes(seed_bytes(seed, "secp256k1"), "big")
        return cls((number % (_ORDER - 1) + 1).to_bytes(SEED_BYTES, "big"))

    @classmethod
    def from_hex(cls, secret: str) -> "ChainKey":
        """The key of a secret in hex, as wallets and test networks write it."""
        try:
            key = cls(bytes.fromhex(secret.strip().removeprefix("0x")))
            key.address  # noqa: B018  which fails where there is no such key
        except ValueError:
            raise InputError("a secret key is no hex of 32 bytes; give 0x and 64 hex digits, not all 0") from None
        return key

    @cached_property
    def address(self) -> str:
        """The owner's address, with the capitals that check it (EIP-55)."""
        return checksummed(keccak(_public_key(self.secret))[-20:])

    def sign(self, transaction: Mapping[str, Any]) -> bytes:
        """Return a transaction of these fields signed: the same fields give the same bytes (RFC 6979)."""
        from eth_account import Account as accounts  # here: an address is known without its 0.6 s of importing

        return bytes(accounts.sign_transaction(dict(transaction), self.secret).raw_transaction)

    def __repr__(self) -> str:
        return f"ChainKey({self.address})"


def chain_key_of(streams: Streams, role: str, number: int) -> ChainKey:
    """The chain key of an actor, beside its identity on the ledgers: a stream of its own."""
    return ChainKey.from_seed(streams.sequence(f"chain key of {role}", number))


def keys_from_environment(count: int, environment: Mapping[str, str] = os.environ) -> list[ChainKey]:
    """The first `count` keys of the mnemonic in `FLNFT_MNEMONIC` (BIP-44, m/44'/60'/0'/0/i); it is kept nowhere."""
    words = environment.get(MNEMONIC, "").strip()
    if not words:
        raise InputError(f"no key to sign with: set the environment variable {MNEMONIC} to the accounts' mnemonic")
    from eth_account import Account as accounts

    accounts.enable_unaudited_hdwallet_features()
    try:
        found = [accounts.from_mnemonic(words, account_path=f"m/44'/60'/0'/0/{i}") for i in range(count)]
    except Exception:  # the library quotes the words, which must not be told
        raise InputError(f"the words in {MNEMONIC} are no mnemonic (BIP-39); set it to 12 to 24 words") from None
    return [ChainKey(bytes(each.key)) for each in found]


def checksummed(address: bytes) -> str:
    """20 bytes as 0x and hex digits with the capitals that check them (EIP-55)."""
    digits = address.hex()
    marks = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(mark, 16) > 7 else digit for digit, mark in zip(digits, marks, strict=False)
    )


def producer_address(producer: str) -> str:
    """Return the address at which a producer of blocks gets its fees; nobody has its key."""
    return f"0x{keccak(producer.encode())[-20:].hex()}"


def _public_key(secret: bytes) -> bytes:
    """The 64 bytes of a secret's point on the curve."""
    try:
        from coincurve import PublicKey
    except ImportError:  # where it has no wheels
        from eth_keys import keys

        return bytes(keys.PrivateKey(secret).public_key.to_bytes())
    return bytes(PublicKey.from_valid_secret(secret).format(compressed=False)[1:])
