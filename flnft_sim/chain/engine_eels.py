"""The engine EELS: Ethereum's executable specification, as a second opinion. This file alone knows it.

It is not installed by default: `pip install --group oracle` in an environment of its own, of Python 3.12.
"""

from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from eth_utils import to_checksum_address

from flnft_sim.chain.admission import Offer, admit
from flnft_sim.chain.engine import ENGINES, ZERO_ADDRESS, Account, BlockEnv, Executed, Log
from flnft_sim.chain.errors import TransactionRefused
from flnft_sim.chain.forks import NEWEST, fork_name
from flnft_sim.chain.transactions import created_address
from flnft_sim.errors import InputError

_FAILURES = {"OutOfGasError": "OutOfGas", "InvalidOpcode": "InvalidInstruction"}  # py-evm's words for the same
_PARTS = ("blocks", "fork", "fork_types", "state", "transactions", "trie", "utils.message", "vm", "vm.interpreter")


@ENGINES.register("eels")
class Eels:
    """A state of the specification's; of the fork that the market's contracts are made for."""

    def __init__(self, *, fork: str, chain_id: int, alloc: Mapping[str, int]) -> None:
        self.fork, self.chain_id = fork_name(fork), chain_id
        if self.fork != NEWEST:
            raise InputError(f"the engine eels runs the fork {NEWEST}, not {self.fork}; take the engine pyevm")
        self._spec = _spec(self.fork)
        self._state = self._spec.state.State()
        for address, wei in alloc.items():
            self._spec.state.set_account_balance(self._state, self._address(address), self._number.U256(wei))

    def execute(self, block: BlockEnv, raw: bytes) -> Executed:
        """Apply a signed transaction."""
        transaction = self._decoded(raw)
        sender, nonce = self._admitted(transaction)
        output, spec = self._spec.vm.BlockOutput(), self._spec
        message_outputs: list[Any] = []
        plain = spec.fork.process_message_call

        def noted(message: Any) -> Any:
            message_outputs.append(plain(message))
            return message_outputs[-1]

        spec.fork.process_message_call = noted  # the specification keeps no output
        try:
            spec.fork.process_transaction(self._block(block), output, transaction, self._number.Uint(0))
        finally:
            spec.fork.process_message_call = plain
        [done] = message_outputs
        creates = len(transaction.to) == 0
        return Executed(
            **_outcome(done),
            gas_used=int(output.block_gas_used),
            logs=tuple(
                Log(_text(each.address), tuple(map(bytes, each.topics)), bytes(each.data)) for each in done.logs
            ),
            created=created_address(sender, nonce) if creates and done.error is None else None,
            kind=raw[0] if raw[0] < 0x80 else 0,
        )

    def call(
        self, block: BlockEnv, to: str | None, data: bytes, *, sender: str = ZERO_ADDRESS, value: int = 0, gas: int
    ) -> Executed:
        """Try a message and leave the state as it was."""
        spec, mark, origin = self._spec, self.snapshot(), self._address(sender)
        held = spec.state.get_account(self._state, origin).balance
        amount = self._number.U256(value)
        spec.state.set_account_balance(self._state, origin, max(held, amount))
        spec.state.increment_nonce(self._state, origin)
        told = {
            "origin": origin, "gas_price": self._number.Uint(block.base_fee), "gas": self._number.Uint(gas),
            "access_list_addresses": {self._address(block.coinbase)}, "access_list_storage_keys": set(),
            "transient_storage": spec.state.TransientStorage(), "blob_versioned_hashes": (), "authorizations": (),
            "index_in_block": None, "tx_hash": None,
        }  # fmt: skip
        environment = _made(spec.vm.TransactionEnvironment, told)
        target = self._bytes.Bytes0() if to is None else self._address(to)
        like = SimpleNamespace(to=target, data=self._bytes.Bytes(data), value=amount)
        message = spec.message.prepare_message(self._block(block), environment, like)
        done = spec.interpreter.process_message_call(message)
        self.revert(mark)
        return Executed(**_outcome(done), gas_used=gas - int(done.gas_left))

    def account(self, address: str) -> Account:
        """Return what the state holds of an address."""
        found = self._spec.state.get_account(self._state, self._address(address))
        return Account(int(found.balance), int(found.nonce), bytes(found.code))

    def snapshot(self) -> Any:
        """Return a mark of the state: copies of its trees."""
        copy = self._spec.trie.copy_trie
        trees = {address: copy(tree) for address, tree in self._state._storage_tries.items()}
        return copy(self._state._main_trie), trees

    def revert(self, mark: Any) -> None:
        """Let the state be as it was at `snapshot`."""
        copy = self._spec.trie.copy_trie
        self._state._main_trie = copy(mark[0])
        self._state._storage_tries = {address: copy(tree) for address, tree in mark[1].items()}

    def state_root(self) -> bytes:
        """Return the root of the state's tree."""
        return bytes(self._spec.state.state_root(self._state))

    @property
    def _number(self) -> Any:
        return import_module("ethereum_types.numeric")

    @property
    def _bytes(self) -> Any:
        return import_module("ethereum_types.bytes")

    def _address(self, address: str) -> Any:
        return self._spec.fork_types.Address(bytes.fromhex(address.removeprefix("0x")))

    def _block(self, block: BlockEnv) -> Any:
        number, word = self._number, self._bytes.Bytes32
        told = {
            "chain_id": number.U64(self.chain_id), "state": self._state, "block_hashes": [],
            "block_gas_limit": number.Uint(block.gas_limit), "coinbase": self._address(block.coinbase),
            "number": number.Uint(block.number), "base_fee_per_gas": number.Uint(block.base_fee),
            "time": number.U256(block.timestamp), "prev_randao": word(block.prev_randao),
            "excess_blob_gas": number.U64(0), "parent_beacon_block_root": word(bytes(32)),
        }  # fmt: skip
        return _made(self._spec.vm.BlockEnvironment, told)

    def _decoded(self, raw: bytes) -> Any:
        transactions, rlp = self._spec.transactions, import_module("ethereum_rlp.rlp")
        try:
            if raw[0] >= 0x80:
                return rlp.decode_to(transactions.LegacyTransaction, raw)
            return transactions.decode_transaction(self._bytes.Bytes(raw))
        except Exception as error:  # the specification's errors share no root
            raise TransactionRefused(
                f"the bytes 0x{raw[:8].hex()}… are no transaction of {self.fork}: {error}"
            ) from None

    def _admitted(self, transaction: Any) -> tuple[str, int]:
        """The sender and nonce of a transaction that may be in a block."""
        chain_id = getattr(transaction, "chain_id", None)
        try:
            own = self.chain_id if chain_id is None else int(chain_id)
            sender = _text(self._spec.transactions.recover_sender(self._number.U64(own), transaction))
        except Exception as error:
            raise TransactionRefused(f"a transaction's signature does not hold: {error}") from None
        least = self._spec.transactions.calculate_intrinsic_cost(transaction)
        price = transaction.max_fee_per_gas if hasattr(transaction, "max_fee_per_gas") else transaction.gas_price
        offer = Offer(
            sender=sender,
            chain_id=None if chain_id is None else int(chain_id),
            nonce=int(transaction.nonce),
            gas=int(transaction.gas),
            least_gas=max(map(int, least)) if isinstance(least, tuple) else int(least),
            owed=int(transaction.value) + int(transaction.gas) * int(price),
            init_code=0 if len(transaction.to) else len(transaction.data),
        )
        admit(offer, self.account(sender), fork=self.fork, chain_id=self.chain_id)
        return sender, offer.nonce


def _spec(fork: str) -> Any:
    """The specification's modules of a fork, by name."""
    try:
        parts = {name.rpartition(".")[2]: import_module(f"ethereum.forks.{fork}.{name}") for name in _PARTS}
    except ImportError:
        raise InputError(
            "the engine eels is not installed; pip install --group oracle in an environment of its own, of Python 3.12"
        ) from None
    interpreter: Any = parts["interpreter"]
    if not hasattr(interpreter.get_valid_jump_destinations, "cache_info"):  # found anew for every call otherwise
        interpreter.get_valid_jump_destinations = lru_cache(maxsize=64)(interpreter.get_valid_jump_destinations)
    return SimpleNamespace(**parts)


def _made(kind: Any, told: dict[str, Any]) -> Any:
    """An environment of those fields that the fork's has."""
    return kind(**{field.name: told[field.name] for field in fields(kind)})


def _outcome(done: Any) -> dict[str, Any]:
    name = "" if done.error is None else type(done.error).__name__
    return {"success": done.error is None, "output": bytes(done.return_data), "failure": _FAILURES.get(name, name)}


def _log(log: Any) -> Log:
    return Log(_text(log.address), tuple(map(bytes, log.topics)), bytes(log.data))


def _text(address: bytes) -> str:
    return str(to_checksum_address(bytes(address)))
