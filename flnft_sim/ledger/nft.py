"""`fl-nft.js`: the small file that a model is minted as (the paper's §3, "FL-NFT minting")."""

import json
from collections.abc import Mapping
from typing import Any

from flnft_sim.json_text import read_json
from flnft_sim.ledger.canonical import canonical_json, sha256_hex
from flnft_sim.ledger.errors import VerificationError

FORMAT = "fl-nft/1"
_OPENING = "// FL-NFT: a federated model minted by its users. The object below is plain JSON.\nmodule.exports = "
_CLOSING = ";\n"


def fl_nft_document(
    *,
    model_hash: str,
    parameter_uri: str,
    minted_at_s: float,
    dao_public_key: str,
    shares: Mapping[str, float],
    **details: Any,
) -> str:
    """The text of `fl-nft.js`: valid JavaScript whose one export holds what the paper lists, and `details`.

    model_hash: of the weights file, see `model_hash`. parameter_uri: where the weights lie. minted_at_s: simulated
    seconds. dao_public_key: hex. shares: contributor's address to its share of the model.
    """
    record = details | {
        "format": FORMAT,
        "model_hash": model_hash,
        "parameter_uri": parameter_uri,
        "minted_at_s": minted_at_s,
        "dao_public_key": dao_public_key,
        "shares": dict(shares),
    }
    plain = json.loads(canonical_json(record))
    return _OPENING + json.dumps(plain, indent=2, sort_keys=True) + _CLOSING


def parse_fl_nft(text: str) -> dict[str, Any]:
    """The record inside `fl-nft.js`; anything that `fl_nft_document` would not write raises `VerificationError`."""
    try:
        record = read_json(text.removeprefix(_OPENING).removesuffix(_CLOSING), place="fl-nft.js")
        written_alike = fl_nft_document(**record) == text and record["format"] == FORMAT
    except (ValueError, TypeError, KeyError):
        written_alike = False
    if not written_alike:
        raise VerificationError("is not a well-formed fl-nft.js")
    return record


def model_hash(weights: bytes) -> str:
    """The SHA-256, in hex, of the bytes of a safetensors file."""
    return sha256_hex(weights)


def mint_payload(
    document: str,
    *,
    dao: str,
    nft_file: str = "fl-nft.js",
    model_file: str = "model.safetensors",
    model_hash: str | None = None,
) -> dict[str, str]:
    """What a transaction of kind "mint" carries: the two files' names and hashes, so that a run can be verified.

    The model's hash is read from the document where the caller, who may have written it, does not say it.
    """
    return {
        "dao": dao,
        "nft_file": nft_file,
        "nft_hash": sha256_hex(document),
        "model_file": model_file,
        "model_hash": model_hash or parse_fl_nft(document)["model_hash"],
    }
