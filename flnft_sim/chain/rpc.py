"""The backend `rpc`: a development node, asked over JSON-RPC, that lets its clock be set. This file alone knows web3.

The node makes a block when it is told to, at the time it is told, of the transactions it was sent: so a run on it has
the same blocks as one in process. Time never passes by itself, and no wall clock is looked at.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from flnft_sim.chain.backend import EPOCH, ON_NODE, Built, Candidate, Genesis, Signing
from flnft_sim.chain.engine import ZERO_ADDRESS, Account, BlockEnv, Executed, Log
from flnft_sim.chain.errors import NodeError, NodeRefusal, TransactionRefused
from flnft_sim.chain.forks import TX_GAS, fork_name, intrinsic_gas
from flnft_sim.chain.keys import MNEMONIC, keys_from_environment
from flnft_sim.chain.transactions import Call, hash_of
from flnft_sim.errors import InputError

LOCAL = "http://127.0.0.1:8545"
"""Where `make chain-node` listens."""

_START = "start one with `make chain-node`"

# Gas as it is before any refund, for a limit must be that high: a tracer in JavaScript, as nodes take them.
_TRIES = """{
  refund: 0, step: function(log) { this.refund = log.getRefund() }, fault: function() {}, result: function(ctx) {
    return {gasUsed: ctx.gasUsed, refund: this.refund, output: toHex(ctx.output), error: ctx.error || ""}
  }
}"""


class NodeChain(Signing):
    """A chain on a node of one's own, from its first block on.

    Accounts get their money from the node, or, where it gives none, from the first account of the mnemonic in the
    environment. The state's root is left out: a node has accounts and contracts of its own beside ours.
    """

    def __init__(self, genesis: Genesis, *, address: str = LOCAL, timeout_s: float = 10.0) -> None:
        super().__init__()
        self.genesis, self.address = replace(genesis, engine=ON_NODE), address
        self._provider = _provider(address, timeout_s)
        self._check_chain()
        self._check_clock()
        self._check_fork()
        self._check_new()
        self.last = BlockEnv(0, EPOCH)
        self._give_money()

    def build(self, env: BlockEnv, candidates: Iterable[Candidate], *, keep: bool = True) -> Built:
        """Make a block of the candidates in order, up to the first that does not fit.

        Which ones fit is known by what they used: a block is made of those that surely fit, and made anew with more as
        long as there is room.
        """
        waiting, executed = list(candidates), list[Executed | None]()
        mark = self._ask("evm_snapshot")
        while (fitting := _fitting(waiting, executed, env.gas_limit)) > len(executed) or not executed:
            if executed:
                mark = self._back_to(mark)
            executed = self._mine(env, waiting[:fitting])
            if not fitting:
                break
        raws = tuple(each.raw for each in waiting[: len(executed)] if each.raw is not None)
        if not keep:
            self._back_to(mark)
            return Built(env, len(executed), tuple(executed), raws)
        head = self._ask("eth_getBlockByNumber", hex(env.number), False)
        roots = (_bytes(head[name]) for name in ("receiptsRoot", "logsBloom"))
        return self._keep(Built(env, len(executed), tuple(executed), raws, b"", *roots))

    def try_call(
        self, call: Call, *, sender: str = ZERO_ADDRESS, gas: int | None = None, timestamp: int | None = None
    ) -> Executed:
        """Return what a call would come to in the next block."""
        env = self.next_block(timestamp)
        fields = {"from": sender, "data": _hex(call.data), "value": hex(call.value), "gas": hex(gas or env.gas_limit)}
        fields |= {} if call.to is None else {"to": call.to}
        told = {"tracer": _TRIES, "blockOverrides": {"time": hex(env.timestamp), "number": hex(env.number)}}
        if call.value > self.account(sender).balance:
            told["stateOverrides"] = {sender: {"balance": hex(call.value)}}
        trace = self._ask("debug_traceCall", fields, "latest", told)
        least = intrinsic_gas(self.genesis.fork, call.data, creates=call.to is None)
        return _traced(trace, max(_before_refund(trace["gasUsed"], trace["refund"]) - least, 0), ())

    def account(self, address: str) -> Account:
        """Return what the state holds of an address."""
        balance, nonce, code = (
            self._ask(f"eth_get{what}", address, "latest") for what in ("Balance", "TransactionCount", "Code")
        )
        return Account(int(balance, 16), int(nonce, 16), _bytes(code))

    def _mine(self, env: BlockEnv, chosen: Sequence[Candidate]) -> list[Executed | None]:
        """Let the node make this block of exactly these transactions."""
        self._ask("evm_setNextBlockTimestamp", env.timestamp)
        self._ask("hardhat_setNextBlockBaseFeePerGas", hex(env.base_fee))
        self._ask("hardhat_setCoinbase", env.coinbase)
        self._ask("evm_setBlockGasLimit", hex(env.gas_limit))
        for candidate in chosen:
            if candidate.raw is not None:
                self._ask("eth_sendRawTransaction", _hex(candidate.raw), error=TransactionRefused)
        self._ask("evm_mine")
        return [None if each.raw is None else self._outcome(each.raw, env) for each in chosen]

    def _outcome(self, raw: bytes, env: BlockEnv) -> Executed:
        name = hash_of(raw)
        receipt = self._ask("eth_getTransactionReceipt", name)
        if receipt is None or int(receipt["blockNumber"], 16) != env.number:
            raise TransactionRefused(f"the node at {self.address} left transaction {name} out of block {env.number}")
        trace = self._ask("debug_traceTransaction", name, {"tracer": "callTracer"})
        logs = tuple(
            Log(_checked(log["address"]), tuple(map(_bytes, log["topics"])), _bytes(log["data"]))
            for log in receipt["logs"]
        )
        created = receipt.get("contractAddress")
        done = _traced(trace, int(receipt["gasUsed"], 16), logs)
        return Executed(
            **vars(done)
            | {"created": _checked(created) if created and done.success else None, "kind": int(receipt["type"], 16)}
        )

    def _back_to(self, mark: str) -> str:
        """Undo what came after a snapshot, which is used up by it; returns a new one."""
        self._ask("evm_revert", mark)
        return str(self._ask("evm_snapshot"))

    def _check_chain(self) -> None:
        found = int(self._ask("eth_chainId"), 16)
        if found != self.genesis.chain_id:
            raise NodeError(
                f"the node at {self.address} is on chain {found}, the run on chain {self.genesis.chain_id}; "
                "name another node, or set public_chain.chain_id"
            )

    def _check_clock(self) -> None:
        """Only a development node makes blocks when and as it is told."""
        try:
            self._ask("evm_setAutomine", False)
            self._ask("evm_revert", self._ask("evm_snapshot"))
        except NodeError:
            raise NodeError(
                f"the node at {self.address} does not let its clock be set, and a run needs blocks at its own times; "
                f"name a development node, or {_START}"
            ) from None

    def _check_fork(self) -> None:
        """Anvil says by which rules it executes; another node's are its owner's to know."""
        try:
            found = fork_name(self._ask("anvil_nodeInfo")["hardFork"])
        except NodeRefusal:
            return
        if found != self.genesis.fork:
            raise NodeError(
                f"the node at {self.address} executes by the rules of {found}, the run by those of "
                f"{self.genesis.fork}; start it with --hardfork {self.genesis.fork}, or set public_chain.fork"
            )

    def _check_new(self) -> None:
        """A run's blocks are numbered and dated from the first on, and nothing that others made is undone for it."""
        newest = self._ask("eth_getBlockByNumber", "latest", False)
        number, timestamp = (int(newest[name], 16) for name in ("number", "timestamp"))
        if number:
            raise NodeError(
                f"the node at {self.address} holds {number} blocks already, and a run begins with the first; stop it "
                f"and {_START}"
            )
        if timestamp > EPOCH:
            raise NodeError(
                f"the node at {self.address} begins at the block time {timestamp}, later than a run at {EPOCH}; "
                f"start it with --timestamp {EPOCH}, as `make chain-node` does"
            )

    def _give_money(self) -> None:
        try:
            for account, wei in self.genesis.alloc.items():
                self._ask("hardhat_setBalance", account, hex(wei))
        except NodeRefusal:
            self._send_money()

    def _send_money(self) -> None:
        """Let the first account of the mnemonic pay for everybody, in a block of its own."""
        [funder] = keys_from_environment(1)
        alloc, held = self.genesis.alloc, self.account(funder.address)
        if held.balance < sum(alloc.values()):
            raise NodeError(
                f"the first account of {MNEMONIC}, {funder.address}, holds {held.balance} wei on the node at "
                f"{self.address}, and a run's actors begin with {sum(alloc.values())}; give it more money"
            )
        self.genesis = replace(self.genesis, alloc={funder.address: held.balance})
        sent = [self.sign(Call(to, b"", wei, "fund"), funder, gas=TX_GAS) for to, wei in alloc.items()]
        frame = self.next_block(EPOCH, gas_limit=max(self.last.gas_limit, TX_GAS * len(sent)))
        self.build(frame, [Candidate(each.raw, each.gas_limit) for each in sent])

    def _ask(self, method: str, *params: Any, error: type[InputError] = NodeError) -> Any:
        """Return a method's result; what the node answers with an error, or not at all, raises `error`."""
        try:
            answer = self._provider.make_request(method, list(params))
        except Exception as fault:  # requests' and web3's errors share no root
            raise NodeError(
                f"no node answers at {self.address} ({type(fault).__name__}); name another address, or {_START}"
            ) from None
        if "error" in answer:
            told = answer["error"]
            error = NodeRefusal if error is NodeError else error
            raise error(f"the node at {self.address} refuses {method}: {told.get('message', told)}")
        return answer["result"]


def _provider(address: str, timeout_s: float) -> Any:
    if not address.startswith(("http://", "https://")):
        raise NodeError(f"the node's address {address!r} is none; give one such as {LOCAL}")
    if "@" in urlsplit(address).netloc:
        raise NodeError("the node's address has a password in it, which a run's folder would keep; give one without")
    try:
        from web3 import HTTPProvider
    except ImportError:
        raise NodeError("a node is asked through web3, which is not installed; pip install 'flnft-sim[rpc]'") from None
    return HTTPProvider(address, request_kwargs={"timeout": timeout_s}, exception_retry_configuration=None)


def _fitting(waiting: Sequence[Candidate], executed: Sequence[Executed | None], room: int) -> int:
    """How many of the first candidates surely fit, by what they used where that is known, else by their limits."""
    for place, each in enumerate(waiting):
        if each.gas_limit > room:
            return place
        done = executed[place] if place < len(executed) else None
        room -= each.gas_limit if done is None else done.gas_used
    return len(waiting)


def _traced(trace: Any, gas_used: int, logs: tuple[Log, ...]) -> Executed:
    error, output = trace.get("error", ""), _bytes(trace.get("output") or "0x")
    failure = (
        "" if not error else "Revert" if "revert" in error.lower() else "OutOfGas" if "gas" in error.lower() else error
    )
    return Executed(not error, gas_used, logs, output, failure=failure)


def _before_refund(gas_used: int, refund: int) -> int:
    """What was used before the refund, of which at most a fifth of it is given (EIP-3529)."""
    return gas_used + min(refund, gas_used // 4)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"


def _checked(address: str) -> str:
    from eth_utils import to_checksum_address

    return str(to_checksum_address(address))
