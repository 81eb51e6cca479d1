"""The end of a run's record: a last block that says what the run left, and a manifest that is signed.

The block is deterministic, as all of the ledger is. It holds the SHA-256 of every file that the run wrote and of every
statement of its manifest, but for what differs from machine to machine (`ENVIRONMENT`) or comes after it (figures). The
manifest's signature is over the rest, too. Both are the auction contract's, whose key, like all keys, follows from the
run's seed: they show that nothing was changed since, and not that the run took place.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flnft_sim.errors import InputError
from flnft_sim.json_text import read_json
from flnft_sim.ledger import Block, KeyPair, Transaction, canonical_json, key_of, sha256_hex
from flnft_sim.streams import Streams

PUBLIC, CLOSE = "public", "close"
ENVIRONMENT = ("versions", "machine", "wall_time_s")  # of a manifest: differs where the run is the same
_WRITTEN_LAST = ("files", "signature")


def closed(lines: Iterable[str], manifest: Mapping[str, Any], files: Mapping[str, str]) -> Iterator[str]:
    """The ledger with the block that closes the run; as it is where it is closed already or nobody can close it.

    lines: blocks, chain by chain, gone through twice. manifest: in JSON's own types. files: SHA-256 by name, without
    ledger and figures.
    """
    key, last, newest, nonce = contract_key(manifest), -1, "", 0
    signed_by = "" if key is None else f'"sender":"{key.address}"'
    for number, line in enumerate(lines):
        if line.startswith(f'{{"chain":"{PUBLIC}",'):
            last, newest = number, line
        if key is not None and signed_by in line:
            nonce = _next_nonce(line, key, nonce)
    block = None if key is None or not newest else _closing(key, newest, nonce, manifest, files)
    for number, line in enumerate(lines):
        yield line
        if number == last and block is not None:
            yield block.to_line()


def _closing(
    key: KeyPair, newest: str, nonce: int, manifest: Mapping[str, Any], files: Mapping[str, str]
) -> Block | None:
    """The block that closes the run, after the `newest` one; None where that does so already."""
    tip = Block.from_line(newest)
    if any(each.kind == CLOSE for each in tip.transactions):
        return None
    end_s = manifest.get("summary", {}).get("simulated_s", 0.0)
    payload = {"files": files, "manifest": digests(manifest)}
    return Block.made(
        PUBLIC,
        tip.height + 1,
        time_s=max(tip.time_s, float(end_s)),
        producer="closing",
        previous=tip.hash,
        payload={},
        transactions=(Transaction.signed(key, CLOSE, payload, chain=PUBLIC, nonce=nonce),),
    )


def digests(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The digest of every statement of a manifest that the closing block holds."""
    return {name: digest_of(value) for name, value in manifest.items() if name not in (*ENVIRONMENT, *_WRITTEN_LAST)}


def digest_of(value: Any) -> str:
    """The SHA-256 of a value's canonical JSON."""
    return sha256_hex(canonical_json(value))


def signed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with the contract's signature of all that it says; without one where it has no seed."""
    unsigned = {name: value for name, value in manifest.items() if name != "signature"}
    key = contract_key(manifest)
    if key is None:
        return unsigned
    return unsigned | {"signature": key.sign(bytes.fromhex(digest_of(unsigned))).hex()}


def contract_key(manifest: Mapping[str, Any]) -> KeyPair | None:
    """The key of the auction contract in a run of the manifest's seed, None where it has no seed."""
    try:
        return key_of(Streams(manifest.get("seed")), "contract", 0)  # type: ignore[arg-type]  # it checks
    except InputError:
        return None


def _next_nonce(line: str, key: KeyPair, before: int) -> int:
    """A nonce that no transaction of the key in a block's line has, nor one below `before`."""
    used = [each["nonce"] for each in read_json(line, place="block")["transactions"] if each["sender"] == key.address]
    return max([before, *(nonce + 1 for nonce in used)])
