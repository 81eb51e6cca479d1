"""Keccak-256 as Ethereum uses it: not the SHA-3 of `hashlib`, which pads otherwise."""


def keccak(data: bytes) -> bytes:
    """The 32 bytes of the Keccak-256 of `data`."""
    from eth_hash.auto import keccak as hashed  # here: only auctions need it

    return bytes(hashed(data))
