"""Blocks of the public chain whose content is found by executing it: what fits is what its gas says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flnft_sim.chain.backend import EPOCH, Built, Candidate, Sent, block_time, randao
from flnft_sim.chain.engine import BlockEnv, Executed
from flnft_sim.chain.errors import ContractRevert, TransactionRefused
from flnft_sim.chain.keys import ChainKey, producer_address
from flnft_sim.chain.transactions import Call
from flnft_sim.errors import InputError
from flnft_sim.ledger import Transaction
from flnft_sim.ledger.mempool import Mempool, Waiting
from flnft_sim.ledger.transactions import Use


@dataclass(frozen=True)
class Message:
    """What a transaction asks of a contract: who signs it with which key, and the gas that it may take at most."""

    call: Call
    key: ChainKey
    gas: int
    follows: bool = False
    """Whether it does something else before what was sent before it is done, so that trying it now tells nothing."""


@dataclass(frozen=True)
class Answer:
    """What came of a message: what the function returned, or the contract's error; and its gas."""

    value: Any
    error: str
    """Its name, such as `TooLate`; empty for a success."""
    gas_used: int
    call: str
    """The contract and its function."""

    @property
    def holds(self) -> bool:
        """Whether it was done."""
        return not self.error


class Execution:
    """Signs messages for a chain that executes, and makes its blocks as the public chain's clock grants them."""

    def __init__(self, backend: Any, *, seed: int, gas_limit: int, gas_price_wei: int = 0) -> None:
        self.backend, self.seed, self.gas_limit, self.gas_price_wei = backend, seed, gas_limit, gas_price_wei
        self._sent: dict[Use, Sent] = {}
        self._answers: dict[Use, Answer] = {}

    def seconds(self, timestamp: int) -> int:
        """A block's timestamp as a second of the run."""
        return timestamp - EPOCH

    def sign(self, message: Message, *, now_s: float) -> Sent:
        """Sign a message as its sender's next transaction, with the gas that it takes when tried a second later."""
        limit = {"gas" if message.follows else "most_gas": message.gas}
        told = limit | {"gas_price": self.gas_price_wei, "timestamp": block_time(now_s) + 1}
        try:
            sent: Sent = self.backend.sign(message.call, message.key, **told)
            return sent
        except TransactionRefused as error:
            if not self.gas_price_wei:
                raise
            raise InputError(f"{error}; what gas costs comes from public_chain.purse_money") from None

    def read(self, call: Call) -> Any:
        """What a call returns now, without a transaction."""
        return self.backend.read(call)

    def remember(self, transaction: Transaction, sent: Sent) -> None:
        """Let the ledger's transaction stand for these raw bytes."""
        self._sent[transaction.use] = sent

    def gas_used(self, transaction: Transaction) -> int:
        """What the message of a transaction of the newest block took; 0 without one, which contracts never see."""
        answer = self._answers.get(transaction.use)
        return 0 if answer is None else answer.gas_used

    def answer(self, transaction: Transaction) -> Answer | None:
        """What came of a transaction that is in a block; None where it executes nothing. Asked once."""
        return self._answers.pop(transaction.use, None)

    def take(
        self, mempool: Mempool, *, height: int, timestamp_s: int, producer: str, keep: bool
    ) -> tuple[list[Waiting], Built | None]:
        """Remove and return a block's content: in order, up to the first that may take more gas than is left.

        What carries no message takes all its gas. With `keep=False` (a stale block) the state is then as before.
        Nothing is built where the block would hold no message.
        """
        env = self._frame(height, timestamp_s, producer)
        content, room = [], self.gas_limit
        while (first := mempool.first()) is not None and first.gas <= room and not self._has_message(first):
            content.append(mempool.pop())
            room -= content[-1].gas
        if first is None or first.gas > room:
            return content, None
        popped = list(content)
        built = self.backend.build(env, self._candidates(mempool, popped), keep=keep)
        mempool.put_back(popped[built.taken :])
        content = popped[: built.taken]
        if keep:
            self._keep_answers(content, built.executed)
        return content, built

    def _candidates(self, mempool: Mempool, popped: list[Waiting]) -> Iterator[Candidate]:
        """What was popped already, then the rest of the pool for as long as it is asked for."""
        yield from (Candidate(None, waiting.gas) for waiting in tuple(popped))
        while mempool.first() is not None:
            waiting = mempool.pop()
            popped.append(waiting)
            sent = self._sent.get(waiting.transaction.use) if waiting.transaction is not None else None
            yield Candidate(None if sent is None else sent.raw, waiting.gas)

    def _has_message(self, waiting: Waiting) -> bool:
        return waiting.transaction is not None and waiting.transaction.use in self._sent

    def _keep_answers(self, content: list[Waiting], executed: tuple[Executed | None, ...]) -> None:
        for waiting, done in zip(content, executed, strict=True):
            if done is not None and waiting.transaction is not None:
                use = waiting.transaction.use
                self._answers[use] = _answer(self._sent.pop(use), done)

    def _frame(self, height: int, timestamp_s: int, producer: str) -> BlockEnv:
        frame: BlockEnv = self.backend.next_block(
            EPOCH + timestamp_s,
            gas_limit=self.gas_limit,
            coinbase=producer_address(producer),
            prev_randao=randao(self.seed, height),
        )
        return frame


def _answer(sent: Sent, done: Executed) -> Answer:
    try:
        return Answer(sent.answer(done), "", done.gas_used, sent.call.name)
    except ContractRevert as error:
        return Answer(None, error.name, done.gas_used, sent.call.name)
