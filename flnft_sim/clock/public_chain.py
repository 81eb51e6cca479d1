"""The public chain on the clock: a mempool, blocks as the protocol grants them, receipts when they are final."""

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, NamedTuple

import simpy

from flnft_sim.clock.chain_clock import ChainClock
from flnft_sim.errors import InputError
from flnft_sim.ledger import (
    Block,
    BlockSlot,
    Chain,
    Consensus,
    ConsensusStalled,
    KeyPair,
    Mempool,
    OtherTraffic,
    Receipt,
    Transaction,
)
from flnft_sim.ledger.mempool import Waiting
from flnft_sim.ledger.transactions import LatePayload, Payload, Use
from flnft_sim.spool import Rows

if TYPE_CHECKING:  # a run whose contracts are a model of some waits for none of these
    from flnft_sim.chain.backend import Built
    from flnft_sim.clock.execution import Answer, Execution, Message


class Included(NamedTuple):
    """A final transaction of the run: its block, since when it was there, how long it had waited, what came of it."""

    transaction: Transaction
    height: int
    time_s: float
    waited_s: float
    answer: "Answer | None"


def known_of(included: Included) -> tuple[object, ...]:
    """What is kept of a final transaction: kind, sender, gas, auction, block, its time, the wait, the answer if any.

    An answer is its call, the gas that it took, and its error.
    """
    of, height, time_s, waited_s, answer = included
    came = None if answer is None else (answer.call, answer.gas_used, answer.error)
    return of.kind, of.sender, of.gas, str(of.payload.get("auction", "")), height, time_s, waited_s, came


class PublicChain:
    """A chain that everyone shares: transactions wait in one mempool for blocks of limited gas.

    It has events only while transactions wait or are unconfirmed, so it never keeps a run from ending: blocks that
    would be empty are left out, which changes nothing (the protocol's rhythm does not depend on who asks).

    `traffic` are other people's transactions, which compete for gas and stay out of the ledger. The blocks they fill
    while none of ours waits are made up for, without events, as soon as it matters. After a pause of more than twice
    `forgets_s`, what happened before the last `forgets_s` of it is left out: their queue does not remember it any more.

    With an `execution`, transactions may carry messages to contracts, which then say what gas they take and what fits.
    """

    def __init__(
        self,
        env: simpy.Environment,
        *,
        consensus: Consensus,
        chain: Chain,
        gas_limit: int = 8_000_000,
        traffic: OtherTraffic | None = None,
        forgets_s: float = math.inf,
        execution: "Execution | None" = None,
    ) -> None:
        if traffic is not None and consensus.on_demand:
            raise InputError(
                f"chain {chain.name!r}: other people's traffic needs a protocol whose blocks come by themselves "
                "(pow, pos); its own makes them on demand"
            )
        self.env, self.consensus, self.chain = env, consensus, chain
        self.execution = execution
        self.included: Rows[Included] = Rows(known_of, spool=chain.spool)
        """Every transaction that is final, in the order of blocks."""
        self.stale_blocks = self.returned_transactions = 0
        self._clock = ChainClock(env, chain.name)
        self._mempool = Mempool(gas_limit)
        self._traffic, self._forgets_s = traffic, forgets_s
        self._unanswered: dict[Use, tuple[float, simpy.Event]] = {}  # submitted at, tells the receipt
        self._waiting = 0  # of ours, not in a block yet
        self._last_slot_s = 0.0
        self._timestamps = [0]
        chain.on_block.append(self._stamp)

    @property
    def mempool_size(self) -> int:
        """How many transactions wait for a block, other people's included."""
        self._make_up()
        return len(self._mempool)

    @property
    def expected_s(self) -> float:
        """About how long a transaction takes to be final where nothing contends, in seconds."""
        return self.consensus.expected_s

    @property
    def expected_block_s(self) -> float:
        """About how long a transaction takes to be in a block where nothing contends, in seconds."""
        return self.consensus.expected_block_s

    def submit(
        self,
        kind: str,
        key: KeyPair,
        payload: Payload,
        *,
        fee: int = 1,
        gas: int | None = None,
        message: "Message | None" = None,
    ) -> simpy.Event:
        """Sign and send a transaction; the event succeeds with its `Receipt` once it is final.

        A `message` is executed in its block, and the receipt has the contract's answer.
        It fails with `ConsensusStalled` where the protocol can never decide. Raises `InputError` at once for a payload
        or gas that no block can take.
        """
        transaction = self._signed(kind, key, payload, fee=fee, gas=gas, message=message)
        self._make_up()
        self._mempool.add(transaction, arrived_s=self.env.now)
        answer = self.env.event()
        self._unanswered[transaction.use] = (self.env.now, answer)
        self._waiting += 1
        if self._waiting == 1:
            self.env.process(self._produce())
        return answer

    def gas_owed(self, transaction: Transaction) -> int:
        """The gas that a transaction of the newest block is paid for; of a message what its execution took."""
        return transaction.gas if self.execution is None else self.execution.gas_used(transaction)

    def timestamp_s(self, height: int) -> int:
        """What contracts read as the time of that block: its whole second, or the one after the block before it."""
        return self._timestamps[height]

    def stall(self) -> None:
        """Stop the chain until `resume`: no block, no confirmation. After that it goes on where it was."""
        self._make_up()
        self._clock.stall()

    def resume(self) -> None:
        """Let a stalled chain go on."""
        self._clock.resume()

    def _produce(self) -> Generator[simpy.Event, Any, None]:
        """Make blocks while transactions of ours wait."""
        clock = self._clock
        while self._waiting:
            try:
                # A sum of waits may end just short of the last slot, which must not come twice.
                slot = self.consensus.next_block(max(clock.now_s, self._last_slot_s))
            except ConsensusStalled as error:
                yield from clock.reach(clock.now_s + error.noticed_after_s)
                self._fail_waiting(error)
                return
            yield from clock.reach(slot.proposed_s)
            transactions, built = self._fill(slot, self.env.now)
            if transactions:
                yield from clock.reach(slot.time_s)
                block = self.chain.append(
                    transactions,
                    time_s=self.env.now,
                    producer=slot.producer,
                    execution=None if built is None else built.to_dict(),
                )
                self._waiting -= len(transactions)
                self.env.process(self._confirm(block, slot.final_s))

    def _stamp(self, block: Block) -> None:
        """Keep the block's timestamp; contracts that were executed have read theirs when its content was settled."""
        executed = block.execution
        if self.execution is None or executed is None:
            self._timestamps.append(self._stamp_of(block.time_s))
        else:
            self._timestamps.append(self.execution.seconds(executed["timestamp"]))

    def _stamp_of(self, time_s: float) -> int:
        """The whole second of the next block at that moment, at least one after the block before it."""
        return max(self._timestamps[-1] + 1, math.ceil(time_s))

    def _fill(self, slot: BlockSlot, now_s: float) -> tuple[list[Transaction], "Built | None"]:
        """Take the slot's content from the mempool: what is ours in it, and what executing it made; not a stale one's.

        A stale block's transactions are pending again at once, not when the race is decided: no block that lasts ever
        builds on it, so to the miners of those that do its transactions never left the pool.
        """
        self._last_slot_s = slot.proposed_s
        if self._traffic is not None:
            self._mempool.add_traffic(self._traffic, now_s=now_s)
        content, built = self._content(slot)
        ours = [waiting.transaction for waiting in content if waiting.transaction is not None]
        if slot.stale:
            self._mempool.put_back(content)
            self.stale_blocks += 1
            self.returned_transactions += len(ours)
            return [], None
        return ours, built

    def _content(self, slot: BlockSlot) -> tuple[list[Waiting], "Built | None"]:
        if self.execution is None:
            return self._mempool.take(), None
        return self.execution.take(
            self._mempool,
            height=len(self.chain),
            timestamp_s=self._stamp_of(slot.time_s + self._clock.stalled_s),
            producer=slot.producer,
            keep=not slot.stale,
        )

    def _signed(
        self, kind: str, key: KeyPair, payload: Payload, *, message: "Message | None", **told: Any
    ) -> Transaction:
        """The ledger's transaction; that of a message names the raw one."""
        if message is None or self.execution is None:
            return self.chain.sign(key, kind, payload, **told)
        sent = self.execution.sign(message, now_s=self.env.now)
        told |= {"gas": sent.gas_limit, "executes": True}
        content = payload.make() if isinstance(payload, LatePayload) else payload
        transaction = self.chain.sign(key, kind, {**content, "transaction": sent.hash}, **told)
        self.execution.remember(transaction, sent)
        return transaction

    def _confirm(self, block: Block, final_s: float) -> Generator[simpy.Event, Any, None]:
        yield from self._clock.reach(final_s)
        for transaction in block.transactions:
            submitted_s, answer = self._unanswered.pop(transaction.use)
            told = None if self.execution is None else self.execution.answer(transaction)
            waited_s = block.time_s - submitted_s
            self.included.append(Included(transaction, block.height, block.time_s, waited_s, told))
            answer.succeed(Receipt(block.height, self.env.now, self.env.now - submitted_s, told))

    def _fail_waiting(self, error: ConsensusStalled) -> None:
        self._waiting = 0
        while self._mempool:
            for waiting in self._mempool.take():
                if waiting.transaction is not None:
                    self._unanswered.pop(waiting.transaction.use)[1].fail(error)

    def _make_up(self) -> None:
        """Let other people's transactions fill the blocks that came while none of ours waited."""
        if self._traffic is None or self._waiting or self._clock.stalled:
            return
        recent_s = self._clock.now_s - self._forgets_s
        if self._last_slot_s < recent_s - self._forgets_s:
            self._last_slot_s = recent_s
            self._mempool.clear()  # nothing of ours is in it
            self._traffic.skip(recent_s + self._clock.stalled_s)
        while (slot := self.consensus.next_block(self._last_slot_s)).proposed_s <= self._clock.now_s:
            self._fill(slot, slot.proposed_s + self._clock.stalled_s)
        self._mempool.add_traffic(self._traffic, now_s=self.env.now)
