"""What executes: one protocol, so that an engine is replaced by one file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flnft_sim import families
from flnft_sim.registry import Registry

ZERO_ADDRESS = "0x" + 20 * "00"


@dataclass(frozen=True)
class BlockEnv:
    """What a contract can ask about the block it runs in."""

    number: int
    timestamp: int
    """Whole seconds since 1970."""
    gas_limit: int = 30_000_000
    coinbase: str = ZERO_ADDRESS
    prev_randao: bytes = bytes(32)
    base_fee: int = 0
    """Wei a unit of gas, burnt."""


@dataclass(frozen=True)
class Log:
    """An event that a contract wrote."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True)
class Executed:
    """What came of a transaction or a call."""

    success: bool
    gas_used: int
    logs: tuple[Log, ...] = ()
    output: bytes = b""
    """What was returned; of a failure, the data it reverted with."""
    created: str | None = None
    """The address of the contract that was made."""
    failure: str = ""
    """The kind of a failure, such as `Revert` or `OutOfGas`; empty for a success."""
    kind: int = 0
    """The transaction's type (EIP-2718); 0 for the oldest."""


@dataclass(frozen=True)
class Account:
    """What the state holds of an address, but for its storage."""

    balance: int = 0
    nonce: int = 0
    code: bytes = b""


class Engine(Protocol):
    """A state and the rules by which transactions change it."""

    fork: str
    chain_id: int

    def execute(self, block: BlockEnv, raw: bytes) -> Executed:
        """Apply a signed transaction; one that cannot be in the block raises `TransactionRefused`."""

    def call(
        self, block: BlockEnv, to: str | None, data: bytes, *, sender: str = ZERO_ADDRESS, value: int = 0, gas: int
    ) -> Executed:
        """Try a message of `sender` (to no address: a creation) and leave the state as it was.

        `gas_used` is that of the message alone, without what a transaction costs beforehand and before any refund.
        """

    def account(self, address: str) -> Account:
        """Return what the state holds of an address."""

    def snapshot(self) -> Any:
        """Return a mark of the state as it is."""

    def revert(self, mark: Any) -> None:
        """Let the state be as it was at `snapshot`."""

    def state_root(self) -> bytes:
        """Return the root of the state's Merkle-Patricia tree, 32 bytes."""


class EngineMaker(Protocol):
    """Make an engine whose accounts hold `alloc` wei each by address."""

    def __call__(self, *, fork: str, chain_id: int, alloc: Mapping[str, int]) -> Engine:
        """Return an engine at its genesis."""


ENGINES: Registry[EngineMaker] = families.ENGINES
