"""The compiled contracts that ship, each checked against its own hash when it is read."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from flnft_sim.chain.abi import Abi
from flnft_sim.errors import FORMLESS, InputError

CONTRACTS = ("FlNft", "MuDao", "SealedAuction")


@dataclass(frozen=True)
class Artifact:
    """A compiled contract."""

    contract: str
    compiler: str
    input_sha256: str
    """Of the standard-JSON input that gives this bytecode, in hex."""
    sha256: str
    """Of ABI and bytecode, in hex."""
    bytecode: bytes
    abi: Abi

    @classmethod
    def read(cls, text: str, place: str) -> "Artifact":
        """Read an artifact's JSON; one that does not match its own hash raises `InputError`."""
        try:
            record: dict[str, Any] = json.loads(text)
            found = hashlib.sha256(_canonical([record["abi"], record["bytecode"]])).hexdigest()
            artifact = cls(
                record["contract"], record["compiler"], record["input_sha256"], record["sha256"],
                bytes.fromhex(record["bytecode"].removeprefix("0x")), Abi(record["abi"]),
            )  # fmt: skip
        except FORMLESS:
            raise InputError(
                f"{place} is no artifact of a contract; write it anew: node contracts/compile.js"
            ) from None
        if found != artifact.sha256:
            raise InputError(
                f"{place} has SHA-256 {found[:16]}… and says {artifact.sha256[:16]}…: it was changed after it was "
                "compiled; write it anew: node contracts/compile.js"
            )
        return artifact


@cache
def artifact(contract: str) -> Artifact:
    """Return a contract that ships."""
    path = files("flnft_sim.chain").joinpath("artifacts", f"{contract}.json")
    return Artifact.read(path.read_text(encoding="utf-8"), f"the artifact {contract}.json")


def read_artifact(path: Path) -> Artifact:
    """Read one's own artifact from a file of this form."""
    return Artifact.read(path.read_text(encoding="utf-8"), str(path))


def _canonical(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
