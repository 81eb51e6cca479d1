"""An EVM of one's own in process: deploy bytecode, call it by real transactions, and see the gas that they took."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from eth_utils import to_checksum_address

from flnft_sim.chain.abi import Abi, Event, Function, Json
from flnft_sim.chain.engine import ENGINES, ZERO_ADDRESS, Account, BlockEnv, Executed, Log
from flnft_sim.chain.forks import NEWEST, AccessList, fork_name
from flnft_sim.chain.keys import ChainKey
from flnft_sim.chain.transactions import Call, created_address, hash_of, signed
from flnft_sim.errors import InputError, shown

RICH = 10**28
"""Wei that each account of an `Evm` holds at first."""


@dataclass(frozen=True)
class Receipt:
    """What came of one transaction."""

    transaction: str
    """Its hash."""
    block: BlockEnv
    sender: str
    to: str | None
    raw: bytes
    executed: Executed
    _decode: Callable[[bytes], Any] = field(default=bytes, repr=False)
    _abi: Abi = field(default_factory=Abi, repr=False)

    @property
    def gas_used(self) -> int:
        """The gas it was charged, refunds taken off."""
        return self.executed.gas_used

    @property
    def success(self) -> bool:
        """Whether it did what it was to do."""
        return self.executed.success

    @property
    def status(self) -> int:
        """1 for a success, 0 for a failure."""
        return int(self.executed.success)

    @property
    def address(self) -> str:
        """The contract: the one that was made, or else the one that was called."""
        return self.executed.created or self.to or ""

    @property
    def contract_address(self) -> str | None:
        """The address of the contract that was made; None where none was."""
        return self.executed.created

    @property
    def logs(self) -> tuple[Log, ...]:
        """The events as they were written."""
        return self.executed.logs

    @cached_property
    def events(self) -> list[Event]:
        """The events that the contract's ABI knows."""
        return self._abi.events(self.logs)

    @property
    def output(self) -> bytes:
        """What was returned, as bytes."""
        return self.executed.output

    @property
    def value(self) -> Any:
        """What was returned, decoded where the function is known; else the bytes."""
        return self._decode(self.output) if self.success else None


class Evm:
    """A chain with one transaction a block, by the rules of `fork` (`flnft_sim.chain.FORKS`).

    `accounts` are ten keys with money; the first one signs where no `sender` is named. Blocks are a second apart. With
    `gas_price` 0 and no base fee, gas costs nothing and is counted all the same.
    """

    def __init__(
        self,
        fork: str = NEWEST,
        *,
        engine: str = "pyevm",
        chain_id: int = 1337,
        block_gas_limit: int = 30_000_000,
        base_fee: int = 0,
        gas_price: int | None = None,
        coinbase: str = ZERO_ADDRESS,
        timestamp: int = 1_700_000_000,
        alloc: Mapping[str, int] | None = None,
    ) -> None:
        self.fork = fork_name(fork)
        self.chain_id, self.coinbase, self.base_fee = chain_id, coinbase, base_fee
        self.block_gas_limit = block_gas_limit
        self.gas_price = base_fee if gas_price is None else gas_price
        self.accounts = [ChainKey.from_seed(np.random.SeedSequence(number)) for number in range(10)]
        money = {key.address: RICH for key in self.accounts} | dict(alloc or {})
        self.engine = ENGINES.get(engine)(fork=self.fork, chain_id=chain_id, alloc=money)
        self.number, self.timestamp = 0, timestamp
        self._abis: dict[str, Abi] = {}

    def deploy(
        self,
        bytecode: str | bytes | Json,
        args: Any = (),
        *,
        abi: Iterable[Json] | Abi | None = None,
        types: Sequence[str] | None = None,
        value: int = 0,
        sender: ChainKey | str | int | None = None,
        gas: int | None = None,
        access_list: AccessList = (),
        check: bool = True,
    ) -> Receipt:
        """Make a contract by a transaction; the receipt has its `address` and the `gas_used`.

        `bytecode` is hex or bytes, or a compiler's artifact (a mapping with `bytecode` and `abi`). `args` of the
        constructor are values in order or by name, by the `abi` or the `types` given, or bytes (hex) as they are; with
        neither, they are what they look like (whole numbers are uint256). `sender` is a `ChainKey`, its secret in hex,
        a number of `accounts` or the address of one. A failure raises `ContractRevert`; with `check=False` it is in the
        receipt.
        """
        known = _abi(abi if abi is not None else _part(bytecode, "abi") or ())
        data = _code(bytecode) + _constructor_data(args, known, types)
        call = Call(None, data, value, "constructor")
        key = self._key(sender)
        address = created_address(key.address, self.engine.account(key.address).nonce)
        self._abis[address] = known
        return self._send(call, key, gas, access_list, check, abi=known)

    def call(
        self,
        to: str | Receipt,
        function: str | bytes = b"",
        args: Any = (),
        *more: Any,
        data: str | bytes | None = None,
        abi: Iterable[Json] | Abi | None = None,
        value: int = 0,
        sender: ChainKey | str | int | None = None,
        gas: int | None = None,
        access_list: AccessList = (),
        check: bool = True,
    ) -> Receipt:
        """Call a contract by a transaction, or send it money; the receipt has the `gas_used` and the `value` returned.

        `function` is a name of its ABI, a signature such as `transfer(address,uint256)`, or the whole `data` as bytes
        or hex. `args` are a list, a mapping by names, or written one after another; where no ABI is known, they are
        what they look like.
        """
        call, known, spec = self._call(to, function if data is None else data, args, more, abi, value)
        result = bytes if spec is None or not spec.outputs else spec.decode
        return self._send(call, self._key(sender), gas, access_list, check, abi=known, result=result)

    send = transact = call

    def run(
        self, call: Call, *, sender: ChainKey | str | int | None = None, gas: int | None = None, check: bool = True
    ) -> Receipt:
        """Send a `Call` of `flnft_sim.chain.contracts`; a failure raises the contract's own error."""
        receipt = self._send(call, self._key(sender), gas, (), False, abi=Abi(), result=call.result)
        if check and not receipt.success:
            error = call.error(receipt.executed) if call.error else Abi().revert(receipt.executed)
            error.receipt = receipt
            raise error
        return receipt

    def look(self, call: Call, *, sender: str = ZERO_ADDRESS) -> Any:
        """Return what a `Call` would return, without a transaction."""
        done = self.engine.call(
            self._next(), call.to, call.data, sender=sender, value=call.value, gas=self.block_gas_limit
        )
        if not done.success:
            raise call.error(done) if call.error else Abi().revert(done)
        return call.result(done.output)

    def read(
        self,
        to: str | Receipt,
        function: str | bytes,
        args: Any = (),
        *more: Any,
        abi: Iterable[Json] | Abi | None = None,
        value: int = 0,
        sender: ChainKey | str | int | None = None,
    ) -> Any:
        """Return what a function would return, without a transaction."""
        call, known, spec = self._call(to, function, args, more, abi, value)
        known_by_address = isinstance(sender, str) and len(sender) == 42
        origin = str(sender) if known_by_address else self._key(sender).address
        done = self.engine.call(self._next(), call.to, call.data, sender=origin, value=value, gas=self.block_gas_limit)
        if not done.success:
            raise known.revert(done)
        return done.output if spec is None else spec.decode(done.output)

    view = read

    def at(self, address: str, abi: Iterable[Json] | Abi) -> str:
        """Let calls to an address be by this ABI from now on; returns the address."""
        place = _address(address)
        self._abis[place] = _abi(abi)
        return place

    def account(self, who: ChainKey | str) -> Account:
        """Return balance, nonce and code of an address."""
        return self.engine.account(_address(who))

    def balance(self, who: ChainKey | str) -> int:
        """Return the wei that an address holds."""
        return self.account(who).balance

    def wait(self, seconds: int) -> None:
        """Let time pass: the next block is so much later."""
        self.timestamp += seconds

    def _next(self) -> BlockEnv:
        return BlockEnv(
            self.number + 1, self.timestamp + 1, self.block_gas_limit, self.coinbase, base_fee=self.base_fee
        )

    def _send(
        self, call: Call, key: ChainKey, gas: int | None, access_list: AccessList, check: bool,
        *, abi: Abi, result: Callable[[bytes], Any] = bytes,
    ) -> Receipt:  # fmt: skip
        limit = self.block_gas_limit if gas is None else gas
        if limit > self.block_gas_limit:
            raise InputError(f"a transaction's gas limit is {limit}, a block holds {self.block_gas_limit}; give less")
        raw = signed(
            call, key, chain_id=self.chain_id, nonce=self.engine.account(key.address).nonce, gas=limit,
            fork=self.fork, gas_price=self.gas_price, access_list=access_list,
        )  # fmt: skip
        block = self._next()
        executed = self.engine.execute(block, raw)
        self.number, self.timestamp = block.number, block.timestamp
        receipt = Receipt(hash_of(raw), block, key.address, call.to, raw, executed, result, abi)
        if check and not executed.success:
            raise abi.revert(executed, receipt)
        return receipt

    def _call(
        self, to: Any, function: Any, args: Any, more: tuple[Any, ...], abi: Any, value: int
    ) -> tuple[Call, Abi, Function | None]:
        address = _address(to)
        known = self._abis.get(address, Abi()) if abi is None else _abi(abi)
        if isinstance(function, bytes) or function.startswith("0x") or not function:
            return Call(address, _hex(function, "the data of a call"), value), known, None
        values = [args, *more] if more or not _is_list(args) else args
        guess = not known and "(" not in function and not isinstance(values, Mapping)
        spec = Function.guessed(function, values) if guess else known.function(function, len(values))
        if more == () and _is_list(args) and len(spec.inputs) == 1 and _lists(spec.inputs[0]) and not _nested(args):
            values = [args]  # one argument that is a list itself
        return Call(address, spec.call(values), value, spec.name), known, spec

    def _key(self, sender: ChainKey | str | int | None) -> ChainKey:
        if isinstance(sender, ChainKey):
            return sender
        if sender is None or (isinstance(sender, int) and 0 <= sender < len(self.accounts)):
            return self.accounts[sender or 0]
        if isinstance(sender, str) and len(sender.removeprefix("0x")) == 64:
            return ChainKey.from_hex(sender)
        known = {key.address: key for key in self.accounts}
        if sender not in known:
            raise InputError(f"no key is known for the sender {shown(sender)}; give a ChainKey or one of evm.accounts")
        return known[str(sender)]


def _address(who: Any) -> str:
    address = getattr(who, "address", who)
    if not isinstance(address, str) or re.fullmatch(r"0x[0-9a-fA-F]{40}", address) is None:
        raise InputError(f"{shown(who)} is no address; give 0x and 40 hex digits, or a receipt or key that has one")
    return str(to_checksum_address(address))


def _abi(abi: Iterable[Json] | Abi) -> Abi:
    return abi if isinstance(abi, Abi) else Abi(abi)


def _part(artifact: Any, name: str) -> Any:
    return artifact.get(name) if isinstance(artifact, Mapping) else getattr(artifact, name, None)


def _code(bytecode: Any) -> bytes:
    """Bytecode of any form that compilers write."""
    code = bytecode
    while not isinstance(code, str | bytes):
        code, outer = _part(code, "bytecode") or _part(code, "object"), code
        if code is None:
            raise InputError(f"{shown(outer)} holds no bytecode; give hex, bytes, or an artifact with `bytecode`")
    return _hex(code, "the bytecode")


def _hex(text: str | bytes, place: str) -> bytes:
    if isinstance(text, bytes):
        return text
    if "__" in text:
        raise InputError(f"{place} has a gap for a library at {text.index('__')}; link it before it is deployed")
    try:
        return bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        raise InputError(f"{place} {shown(text, 40)} is no hex; give 0x and an even number of hex digits") from None


def _constructor_data(args: Any, abi: Abi, types: Sequence[str] | None) -> bytes:
    if isinstance(args, bytes | str):
        return _hex(args, "the arguments of the constructor")
    values = args if _is_list(args) else [args]
    if types is not None:
        spec = Function({"name": "constructor", "inputs": [{"type": kind} for kind in types]})
    elif abi or isinstance(values, Mapping):
        spec = abi.constructor
    else:
        spec = Function.guessed("constructor", values)
    return spec.encode(values)


def _is_list(args: Any) -> bool:
    return isinstance(args, Sequence | Mapping) and not isinstance(args, str | bytes)


def _lists(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith("(")


def _nested(args: Any) -> bool:
    return len(args) == 1 and (_is_list(args[0]))
