"""From what an actor wants done to the signed bytes that a block holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_hash.auto import keccak
from eth_utils import to_checksum_address

from flnft_sim.chain.engine import Executed
from flnft_sim.chain.errors import ContractRevert
from flnft_sim.chain.forks import AccessList, since
from flnft_sim.chain.keys import ChainKey

MOST_GAS = 2**24
"""What one transaction may take at most (EIP-7825)."""
_MARGIN = 1.2


@dataclass(frozen=True)
class Call:
    """A message to a contract, or without an address the making of one. Nothing is sent by it."""

    to: str | None
    data: bytes
    value: int = 0
    name: str = ""
    """The function, for tables."""
    result: Callable[[bytes], Any] = bytes
    """Reads what the function returned."""
    error: Callable[[Executed], ContractRevert] | None = None
    """Makes the error of a failure."""


def signed(
    call: Call,
    key: ChainKey,
    *,
    chain_id: int,
    nonce: int,
    gas: int,
    fork: str,
    gas_price: int = 0,
    access_list: AccessList = (),
) -> bytes:
    """Return the raw bytes of a transaction, of the newest type that the fork knows.

    `gas_price` is in wei: what the block's producer gets for a unit of gas, and the most that is paid.
    """
    fields: dict[str, Any] = {"chainId": chain_id, "nonce": nonce, "gas": gas, "value": call.value, "data": call.data}
    fields["to"] = call.to or b""
    if since(fork, "london"):
        fields |= {"type": 2, "maxFeePerGas": gas_price, "maxPriorityFeePerGas": gas_price}
    else:
        fields["gasPrice"] = gas_price
    if since(fork, "london") or (access_list and since(fork, "berlin")):
        fields["accessList"] = [_named(address, slots) for address, slots in access_list]
    return key.sign(fields)


def declared_gas(estimate: int) -> int:
    """Return the gas limit to declare for what took `estimate` when it was tried."""
    return min(int(estimate * _MARGIN), MOST_GAS)


def hash_of(raw: bytes) -> str:
    """Return a transaction's name on the chain: the Keccak-256 of its bytes, as 0x and 64 hex digits."""
    return f"0x{keccak(raw).hex()}"


def created_address(sender: str, nonce: int) -> str:
    """Return the address of the contract that a sender's transaction of that nonce makes."""
    import rlp

    return str(to_checksum_address(keccak(rlp.encode([bytes.fromhex(sender[2:]), nonce]))[12:]))


def _named(address: str, slots: Any) -> Mapping[str, Any]:
    return {"address": address, "storageKeys": [f"0x{int(slot):064x}" for slot in slots]}
