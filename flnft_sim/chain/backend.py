"""What a chain must offer so that the public chain of a run can be one: blocks of signed transactions, and calls.

chain = connect("evm", Genesis(alloc={key.address: 10**21}))
sent = chain.sign(auction.bid(...), key)
built = chain.build(chain.next_block(timestamp), [Candidate(sent.raw, sent.gas_limit)])
result = sent.call.result(built.executed[0].output)
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from math import ceil
from typing import Any, Protocol

from flnft_sim.chain.engine import ZERO_ADDRESS, Account, BlockEnv, Executed
from flnft_sim.chain.errors import TransactionRefused
from flnft_sim.chain.forks import NEWEST, floor_gas, intrinsic_gas
from flnft_sim.chain.keys import ChainKey
from flnft_sim.chain.transactions import MOST_GAS, Call, created_address, declared_gas, hash_of, signed
from flnft_sim.errors import UnknownNameError

BACKENDS = ("model", "evm", "rpc")
"""What `public_chain.backend` can be: gas by a formula, contracts executed in process, contracts executed on a node."""

EPOCH = 1_700_000_000
"""The block time at which a run's second 0 is."""

CHAIN_ID = 1337

ON_NODE = "node"
"""What a genesis names as its engine where a node executed: then any engine must come to the same, but for the root."""


@dataclass(frozen=True)
class Genesis:
    """What a chain begins with, all of it in the ledger."""

    alloc: Mapping[str, int] = field(default_factory=dict)
    """Wei by address."""
    chain_id: int = CHAIN_ID
    fork: str = NEWEST
    engine: str = "pyevm"

    def to_dict(self) -> dict[str, Any]:
        """All fields in plain JSON types, with the hashes of the contracts that ship."""
        from flnft_sim.chain.artifacts import CONTRACTS, artifact

        return asdict(self) | {
            "alloc": dict(self.alloc),
            "artifacts": {name: artifact(name).sha256 for name in CONTRACTS},
        }


@dataclass(frozen=True)
class Candidate:
    """A transaction that waits for a block; without bytes it is other people's and takes its whole limit."""

    raw: bytes | None
    gas_limit: int


@dataclass(frozen=True)
class Built:
    """A block: the first `taken` of the candidates, and what came of each (None for other people's)."""

    env: BlockEnv
    taken: int
    executed: tuple[Executed | None, ...]
    raws: tuple[bytes, ...]
    """Of our own transactions."""
    state_root: bytes = b""
    receipts_root: bytes = b""
    logs_bloom: bytes = b""

    @property
    def own(self) -> tuple[Executed, ...]:
        """What came of our own transactions."""
        return tuple(done for done in self.executed if done is not None)

    @property
    def gas_used(self) -> int:
        """The gas of our own transactions."""
        return sum(done.gas_used for done in self.own)

    def to_dict(self) -> dict[str, Any]:
        """What the ledger keeps of the block: enough to execute it again, and what must come out."""
        env = {name: value.hex() if isinstance(value, bytes) else value for name, value in vars(self.env).items()}
        return env | {
            "raw": [raw.hex() for raw in self.raws],
            "status": [int(done.success) for done in self.own],
            "gas": [done.gas_used for done in self.own],
            "gas_used": self.gas_used,
            "state_root": self.state_root.hex(),
            "receipts_root": self.receipts_root.hex(),
            "logs_bloom": self.logs_bloom.hex(),
        }


@dataclass(frozen=True)
class Sent:
    """A signed transaction on its way into a block."""

    call: Call
    raw: bytes
    sender: str
    nonce: int
    gas_limit: int

    @property
    def hash(self) -> str:
        """Its name on the chain."""
        return hash_of(self.raw)

    @property
    def creates(self) -> str | None:
        """The address of the contract that it makes; None where it makes none."""
        return created_address(self.sender, self.nonce) if self.call.to is None else None

    def answer(self, done: Executed) -> Any:
        """Return what the function returned, or raise the contract's error."""
        if not done.success:
            raise self.call.error(done) if self.call.error else TransactionRefused(f"{self.call.name}: {done.failure}")
        return self.call.result(done.output)


class ChainBackend(Protocol):
    """A chain that executes; of the public chain's clock it knows nothing but the blocks' times."""

    genesis: Genesis

    def build(self, env: BlockEnv, candidates: Iterable[Candidate], *, keep: bool = True) -> Built:
        """Make a block of the candidates in order, up to the first whose gas limit is more than the room left.

        Each takes the gas that it used. With `keep=False` (a stale block) the state is then as before. A transaction
        that cannot be in a block raises `TransactionRefused`; one that fails is an outcome.
        """

    def try_call(
        self, call: Call, *, sender: str = ZERO_ADDRESS, gas: int | None = None, timestamp: int | None = None
    ) -> Executed:
        """Return what a call would come to in the next block, at `timestamp` where one is given."""

    def account(self, address: str) -> Account:
        """Return what the state holds of an address."""

    def block(self, number: int) -> Built:
        """Return a block that was built and kept."""

    def receipt(self, transaction: str) -> tuple[int, Executed]:
        """Return the block's number and what came of a transaction, by its hash."""


class Signing:
    """Signs for a chain: nonces in order, gas as tried. What both backends share."""

    genesis: Genesis
    last: BlockEnv
    """The newest block."""

    def __init__(self) -> None:
        self._nonces: dict[str, int] = {}
        self._blocks: dict[int, Built] = {}
        self._places: dict[str, tuple[int, int]] = {}

    def next_block(self, timestamp: int | None = None, **fields: Any) -> BlockEnv:
        """Return the frame of the next block: `fields` as in `BlockEnv`, those not given as in the one before."""
        time = self.last.timestamp + 1 if timestamp is None else max(timestamp, self.last.timestamp + 1)
        return BlockEnv(**vars(self.last) | {"number": self.last.number + 1, "timestamp": time} | fields)

    def sign(
        self: Any,
        call: Call,
        key: ChainKey,
        *,
        gas: int | None = None,
        most_gas: int | None = None,
        gas_price: int = 0,
        timestamp: int | None = None,
    ) -> Sent:
        """Sign a call as the sender's next transaction, with 1.2 times the gas that it takes when tried now.

        `timestamp` is when it is to be tried. What fails when tried gets `most_gas` where that is given, and nothing
        more than that. Raises `TransactionRefused` where the sender's money or the `gas` given are less than it needs.
        """
        data = call.data
        tried = self.try_call(call, sender=key.address, timestamp=timestamp)
        least = intrinsic_gas(self.genesis.fork, data, creates=call.to is None)
        need = max(least + tried.gas_used, floor_gas(self.genesis.fork, data))
        if gas is None:
            most = MOST_GAS if most_gas is None else most_gas
            gas = min(declared_gas(need), most) if tried.success or most_gas is None else most
        if gas < need:
            raise TransactionRefused(f"{call.name or 'a call'} needs {need} gas and is given {gas}; give more")
        held = self.account(key.address)
        cost = call.value + gas * gas_price
        if cost > held.balance:
            raise TransactionRefused(
                f"{call.name or 'a call'} of {key.address} may cost {cost} wei, its account holds {held.balance}; "
                "give it more money"
            )
        nonce = self._nonces.get(key.address, held.nonce)
        self._nonces[key.address] = nonce + 1
        raw = signed(
            call, key, chain_id=self.genesis.chain_id, nonce=nonce, gas=gas, fork=self.genesis.fork, gas_price=gas_price
        )
        return Sent(call, raw, key.address, nonce, gas)

    def read(self: Any, call: Call, *, sender: str = ZERO_ADDRESS, timestamp: int | None = None) -> Any:
        """Return what a call would return, without a transaction; raises the contract's error."""
        done = self.try_call(call, sender=sender, timestamp=timestamp)
        return Sent(call, b"", sender, 0, 0).answer(done)

    def send(self: Any, call: Call, key: ChainKey, *, timestamp: int | None = None, **told: Any) -> Any:
        """Sign a call and put it alone into the next block: for contracts set up before a run, and for tests.

        Returns the address of a contract that it makes, or else what the function returned.
        """
        env = self.next_block(timestamp)
        sent = self.sign(call, key, timestamp=env.timestamp, **told)
        [done] = self.build(env, [Candidate(sent.raw, sent.gas_limit)]).own
        result = sent.answer(done)
        return sent.creates or result

    def block(self, number: int) -> Built:
        """Return a block that was built and kept."""
        return self._blocks[number]

    def receipt(self, transaction: str) -> tuple[int, Executed]:
        """Return the block's number and what came of a transaction, by its hash."""
        number, place = self._places[transaction]
        return number, self._blocks[number].own[place]

    def _keep(self, built: Built) -> Built:
        self.last = built.env
        self._blocks[built.env.number] = built
        for place, raw in enumerate(built.raws):
            self._places[hash_of(raw)] = built.env.number, place
        return built


def connect(name: str, genesis: Genesis, **told: Any) -> Any:
    """Return the backend of that name at its genesis; None for `model`, which executes nothing.

    `rpc` is told the node's `address`. An unknown name raises `UnknownNameError`.
    """
    if name not in BACKENDS:
        raise UnknownNameError("chain backend", name, BACKENDS)
    if name == "model":
        return None
    home, kind = {"evm": ("embedded", "EmbeddedChain"), "rpc": ("rpc", "NodeChain")}[name]
    return getattr(import_module(f"flnft_sim.chain.{home}"), kind)(genesis, **told)


def block_time(time_s: float) -> int:
    """Return the block time of a moment of a run: whole seconds, rounded up, so that windows end as in the run."""
    return EPOCH + ceil(time_s)


def randao(seed: int, height: int) -> bytes:
    """Return the 32 bytes of chance that a block offers its contracts."""
    return hashlib.sha256(f"{seed}:{height}".encode()).digest()
