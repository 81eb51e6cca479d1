"""Ed25519 identities: who signs, and the address others know it by."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from flnft_sim.errors import InputError
from flnft_sim.streams import Streams

SEED_BYTES = 32
ADDRESS_BYTES = 20


@dataclass(frozen=True)
class KeyPair:
    """A signing key and what follows from it. Make one with `KeyPair.from_seed`."""

    signing_key: SigningKey

    @classmethod
    def from_seed(cls, seed: bytes | np.random.SeedSequence) -> "KeyPair":
        """The key pair of 32 seed bytes, or of a random stream's `SeedSequence`; the same seed gives the same keys."""
        return cls(SigningKey(seed_bytes(seed, "Ed25519")))

    @cached_property
    def public_key(self) -> bytes:
        """The 32-byte verify key."""
        return bytes(self.signing_key.verify_key)

    @cached_property
    def public_hex(self) -> str:
        """The verify key as a ledger writes it: 64 hex digits."""
        return self.public_key.hex()

    @cached_property
    def address(self) -> str:
        """The owner's name on every ledger: 40 hex digits."""
        return address_of(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message`; Ed25519 is deterministic, so the same message gives the same bytes."""
        return self.signing_key.sign(message).signature


def seed_bytes(seed: bytes | np.random.SeedSequence, scheme: str) -> bytes:
    """The 32 bytes that a key of a signature scheme is made of; `InputError` names the scheme if there are others."""
    if isinstance(seed, np.random.SeedSequence):
        seed = seed.generate_state(SEED_BYTES // 4, np.uint32).astype("<u4").tobytes()
    if len(seed) != SEED_BYTES:
        raise InputError(f"key seed: {len(seed)} bytes given, {scheme} needs exactly {SEED_BYTES}")
    return seed


def key_of(streams: Streams, role: str, number: int) -> KeyPair:
    """The key pair of an actor: known before the actor is, so that the genesis block can name its account."""
    return KeyPair.from_seed(streams.sequence(f"key of {role}", number))


def address_of(public_key: bytes) -> str:
    """The first 20 bytes of the SHA-256 of a verify key, in hex."""
    return hashlib.sha256(public_key).digest()[:ADDRESS_BYTES].hex()


def signature_holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is the key's signature of `message`; malformed keys and signatures do not hold."""
    try:
        VerifyKey(public_key).verify(message, signature)
    except (CryptoError, ValueError):
        return False
    return True
