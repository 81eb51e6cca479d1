"""The engine py-evm: pure Python, in process. This file alone knows it."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from eth.constants import BLANK_ROOT_HASH, CREATE_CONTRACT_ADDRESS
from eth.db.atomic import AtomicDB
from eth.db.backends.memory import MemoryDB
from eth.vm.execution_context import ExecutionContext
from eth.vm.message import Message
from eth_utils import ValidationError, to_checksum_address
from rlp.exceptions import RLPException

from flnft_sim.chain.admission import Offer, admit
from flnft_sim.chain.engine import ENGINES, ZERO_ADDRESS, Account, BlockEnv, Executed, Log
from flnft_sim.chain.errors import TransactionRefused
from flnft_sim.chain.forks import floor_gas, fork_name, init_code_gas, since


class _RemembersJumps:
    """A computation that finds the valid jumps of a code once and not in every call: a third of py-evm's time."""

    jumps: dict[bytes, tuple[set[int], set[int]]]
    code: Any

    def __init__(self, state: Any, message: Any, context: Any) -> None:
        super().__init__(state, message, context)  # type: ignore[call-arg]
        known = self.jumps.setdefault(bytes(message.code), (set(), set()))
        self.code.invalid_positions, self.code.valid_positions = known


@ENGINES.register("pyevm")
class PyEvm:
    """A state of py-evm, which gets a new block around it as time goes on."""

    def __init__(self, *, fork: str, chain_id: int, alloc: Mapping[str, int]) -> None:
        self.fork, self.chain_id = fork_name(fork), chain_id
        camel = "".join(word.capitalize() for word in self.fork.split("_"))
        vm = getattr(import_module("eth.vm.forks"), f"{camel}VM")
        self._transactions, plain = vm.get_transaction_builder(), vm.get_state_class()
        computation = type("Computation", (_RemembersJumps, plain.computation_class), {"jumps": {}})
        self._state_class: Any = type("State", (plain,), {"computation_class": computation})
        self._db = AtomicDB(MemoryDB())
        self._block: BlockEnv | None = None
        self._at(BLANK_ROOT_HASH)
        for address, wei in alloc.items():
            self._state.set_balance(_bytes(address), wei)
        self._state.persist()

    def execute(self, block: BlockEnv, raw: bytes) -> Executed:
        """Apply a signed transaction."""
        transaction = self._decoded(raw)
        self._enter(block)
        self._check(transaction)
        state = self._state
        state.lock_changes()
        try:
            done = state.apply_transaction(transaction)
        except ValidationError as error:
            raise TransactionRefused(f"a transaction cannot be in block {block.number}: {error}") from None
        used = transaction.gas - done.get_gas_remaining()
        refund = min(done.get_gas_refund(), used // (5 if since(self.fork, "london") else 2))
        creates = transaction.to == CREATE_CONTRACT_ADDRESS
        return Executed(
            **_outcome(done),
            gas_used=used - refund + done.data_floor_gas,
            logs=tuple(_log(*entry) for entry in done.get_log_entries()),
            created=_text(done.msg.storage_address) if creates and done.is_success else None,
            kind=getattr(transaction, "type_id", None) or 0,
        )

    def call(
        self, block: BlockEnv, to: str | None, data: bytes, *, sender: str = ZERO_ADDRESS, value: int = 0, gas: int
    ) -> Executed:
        """Try a message and leave the state as it was."""
        self._enter(block)
        state = self._state
        state.lock_changes()
        before, origin = state.snapshot(), _bytes(sender)
        if state.get_balance(origin) < value:
            state.set_balance(origin, value)
        state.increment_nonce(origin)  # as a transaction does: its sender is no new account
        target = CREATE_CONTRACT_ADDRESS if to is None else _bytes(to)
        code = data if to is None else state.get_code(target)
        message = Message(
            gas=gas, to=target, sender=origin, value=value, code=code, data=b"" if to is None else data,
            create_address=b"\xff" * 20 if to is None else None,
        )  # fmt: skip
        run = state.computation_class.apply_create_message if to is None else state.computation_class.apply_message
        if since(self.fork, "berlin"):  # as a transaction's, these two are known
            for known in (origin, message.storage_address):
                state.mark_address_warm(known)
        done = run(state, message, state.get_transaction_context_class()(gas_price=block.base_fee, origin=origin))
        state.revert(before)
        beforehand = init_code_gas(self.fork, data) if to is None else 0  # which py-evm takes in the message
        return Executed(**_outcome(done), gas_used=gas - done.get_gas_remaining() - beforehand)

    def account(self, address: str) -> Account:
        """Return what the state holds of an address."""
        key, state = _bytes(address), self._state
        return Account(state.get_balance(key), state.get_nonce(key), bytes(state.get_code(key)))

    def snapshot(self) -> bytes:
        """Return a mark of the state: its root, for the database forgets nothing."""
        self._state.persist()
        return bytes(self._state.state_root)

    def revert(self, mark: bytes) -> None:
        """Let the state be as it was at `snapshot`."""
        self._at(mark)
        self._block = None

    def state_root(self) -> bytes:
        """Return the root of the state's tree."""
        return self.snapshot()

    def _at(self, root: bytes) -> None:
        self._state = self._state_class(self._db, self._context(BlockEnv(0, 0)), root)

    def _enter(self, block: BlockEnv) -> None:
        """Put the state into a block; a new one costs the reading of what its transactions touch."""
        if block != self._block:
            self._state.execution_context = self._context(block)
            self._block = block

    def _context(self, block: BlockEnv) -> ExecutionContext:
        return ExecutionContext(
            coinbase=_bytes(block.coinbase),
            timestamp=block.timestamp,
            block_number=block.number,
            difficulty=0 if since(self.fork, "paris") else 1,
            mix_hash=block.prev_randao,
            gas_limit=block.gas_limit,
            prev_hashes=(),
            chain_id=self.chain_id,
            base_fee_per_gas=block.base_fee if since(self.fork, "london") else None,
            excess_blob_gas=0 if since(self.fork, "cancun") else None,
        )

    def _decoded(self, raw: bytes) -> Any:
        try:
            transaction = self._transactions.decode(raw)
            transaction.validate()
            transaction.sender  # noqa: B018  it is recovered, which fails for a bad signature
        except (RLPException, ValidationError, TypeError, ValueError, LookupError) as error:
            raise TransactionRefused(
                f"the bytes 0x{raw[:8].hex()}… are no transaction of {self.fork}: {error}"
            ) from None
        except Exception as error:  # eth_keys' BadSignature and py-evm's unknown types share no root
            raise TransactionRefused(f"the transaction 0x{raw[:8].hex()}… does not hold: {error}") from None
        return transaction

    def _check(self, transaction: Any) -> None:
        """Refuse what cannot be in a block; py-evm itself knows no floor of gas."""
        sender = _text(transaction.sender)
        price = transaction.max_fee_per_gas if since(self.fork, "london") else transaction.gas_price
        offer = Offer(
            sender=sender,
            chain_id=transaction.chain_id,
            nonce=transaction.nonce,
            gas=transaction.gas,
            least_gas=max(transaction.intrinsic_gas, floor_gas(self.fork, transaction.data)),
            owed=transaction.value + transaction.gas * price,
            init_code=len(transaction.data) if transaction.to == CREATE_CONTRACT_ADDRESS else 0,
        )
        admit(offer, self.account(sender), fork=self.fork, chain_id=self.chain_id)


def _outcome(done: Any) -> dict[str, Any]:
    failure = "" if done.is_success else type(done.error).__name__
    return {"success": done.is_success, "output": bytes(done.output), "failure": failure}


def _log(address: bytes, topics: tuple[int, ...], data: bytes) -> Log:
    return Log(_text(address), tuple(topic.to_bytes(32, "big") for topic in topics), bytes(data))


def _bytes(address: str) -> Any:
    return bytes.fromhex(address.removeprefix("0x"))


def _text(address: bytes) -> str:
    return str(to_checksum_address(address))
