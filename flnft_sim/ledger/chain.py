"""A hash-linked chain of blocks, its file form, and its verification."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from flnft_sim.errors import InputError
from flnft_sim.json_text import read_json
from flnft_sim.late import late, made
from flnft_sim.ledger.canonical import canonical_json, canonical_list, sha256_hex
from flnft_sim.ledger.errors import VerificationError
from flnft_sim.ledger.keys import KeyPair
from flnft_sim.ledger.transactions import Payload, Transaction
from flnft_sim.spool import Piece, Spool

KEPT = 64  # blocks that are put aside together; as many, and up to twice as many, of the newest stay in memory
NO_BLOCK = "0" * 64  # what the first block names as its predecessor


@late("previous", "root", "hash")
@dataclass(frozen=True)
class Block:
    """A block: its header's fields, its transactions, and the header's SHA-256. `payload` is empty but in genesis.

    `execution` is what contracts made of it, part of the header, where the chain executes them; else it is not there.
    One that was made here works out its root, its hash and its predecessor's when they are asked for.
    """

    chain: str
    height: int
    time_s: float
    producer: str
    previous: str
    payload: Mapping[str, Any]
    transactions: tuple[Transaction, ...]
    root: str
    hash: str
    execution: Mapping[str, Any] | None = None

    @classmethod
    def made(
        cls,
        chain: str,
        height: int,
        *,
        time_s: float,
        producer: str,
        previous: "str | Block",
        payload: Mapping[str, Any],
        transactions: tuple[Transaction, ...],
        execution: Mapping[str, Any] | None = None,
    ) -> "Block":
        """Make a block that follows another, or a hash; its root is over the transactions' digests and signatures."""
        return made(
            cls,
            chain=chain,
            height=height,
            time_s=time_s,
            producer=producer,
            payload=payload,
            transactions=transactions,
            execution=execution,
            **({"_before": previous} if isinstance(previous, Block) else {"previous": previous}),
        )

    def _find_root(self) -> str:
        pairs = ((canonical_json(each.digest), canonical_json(each.signature)) for each in self.transactions)
        return sha256_hex(canonical_list(map(canonical_list, pairs)))

    def _find_previous(self) -> str:
        block, unknown = self, list[Block]()
        while (before := vars(block).get("_before")) is not None and "hash" not in vars(before):
            unknown.append(block := before)
        while unknown:  # the oldest first: no chain is too long for the stack
            _ = unknown.pop().hash
        return vars(self).pop("_before").hash

    def _find_hash(self) -> str:
        return sha256_hex(f"{self._before_hash()}{self._after_hash()}}}")

    def _before_hash(self) -> str:
        """The members of its canonical JSON, in their order, up to where its hash would stand."""
        executed = "" if self.execution is None else f',"execution":{canonical_json(self.execution)}'
        return f'{{"chain":{canonical_json(self.chain)}{executed}'

    def _after_hash(self) -> str:
        """Those that come after it, but for the transactions."""
        text = canonical_json
        return (
            f',"height":{text(self.height)},"payload":{text(self.payload)},"previous":{text(self.previous)},'
            f'"producer":{text(self.producer)},"root":{text(self.root)},"time_s":{text(self.time_s)}'
        )

    def to_line(self) -> str:
        """The block as one line of canonical JSON, without the line's end."""
        transactions = canonical_list([each.to_text() for each in self.transactions])  # their digests come with it
        before, after = self._before_hash(), self._after_hash()
        vars(self).setdefault("hash", sha256_hex(f"{before}{after}}}"))
        return f'{before},"hash":{canonical_json(self.hash)}{after},"transactions":{transactions}}}'

    @classmethod
    def from_line(cls, line: str) -> "Block":
        """Read `to_line` back; anything that is not a block raises `VerificationError`. Nothing is verified yet."""
        try:
            record = read_json(line, place="block")
            transactions = tuple(Transaction(**each) for each in record["transactions"])
            return cls(**record | {"transactions": transactions})
        except (ValueError, TypeError, KeyError):
            raise VerificationError("is not a block") from None


class Chain:
    """An append-only chain with a genesis block at height 0, whose payload is `genesis` (opening balances, say).

    Only blocks that carry transactions are appended: see `docs/fidelity.md` on empty blocks. Each function in
    `on_block` is told of every block as it is appended. Given a `spool`, all but the newest blocks lie in it, as lines.
    """

    def __init__(self, name: str, *, genesis: Mapping[str, Any] | None = None, spool: Spool | None = None) -> None:
        self.name, self.spool = name, spool
        self._aside: list[Piece] = []  # lines of `KEPT` blocks each, from genesis on
        self.on_block: list[Callable[[Block], None]] = []
        self._nonces: dict[str, int] = {}
        payload = json.loads(canonical_json(genesis or {}))
        self._blocks = [
            Block.made(
                name,
                0,
                time_s=0.0,
                producer="genesis",
                previous=NO_BLOCK,
                payload=payload,
                transactions=(),
            )
        ]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks by height; those that were put aside are read from their lines."""
        return (*map(Block.from_line, self._lines_aside()), *self._blocks)

    @property
    def genesis(self) -> Block:
        """The first block."""
        return Block.from_line(next(self._lines_aside())) if self._aside else self._blocks[0]

    @property
    def tip(self) -> Block:
        """The latest block."""
        return self._blocks[-1]

    @property
    def in_memory(self) -> int:
        """How many blocks are held in memory."""
        return len(self._blocks)

    def newest(self, count: int) -> tuple[Block, ...]:
        """The last `count` blocks, or all where there are fewer, the latest first."""
        return tuple(islice(self.backwards(), count))

    def backwards(self) -> Iterator[Block]:
        """All blocks, the latest first, each read when it is asked for."""
        yield from reversed(self._blocks)
        for piece in reversed(self._aside):
            yield from map(Block.from_line, reversed(self._read(piece)))

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> "Chain":
        """The chain that holds these blocks, genesis first; nothing is verified."""
        own = cls(blocks[0].chain)
        own._blocks = list(blocks)
        return own

    def __len__(self) -> int:
        return len(self._aside) * KEPT + len(self._blocks)

    def transactions(self, kind: str | None = None) -> Iterator[Transaction]:
        """All transactions in ledger order, or those of one kind."""
        told = "" if kind is None else f'"kind":{canonical_json(kind)}'
        aside = (Block.from_line(line) for line in self._lines_aside() if told in line)
        for block in chain(aside, self._blocks):
            yield from (each for each in block.transactions if kind in (None, each.kind))

    def sign(
        self,
        key: KeyPair,
        kind: str,
        payload: Payload,
        *,
        fee: int = 1,
        gas: int | None = None,
        executes: bool = False,
    ) -> Transaction:
        """A transaction for this chain under the sender's next nonce; it is not on the chain until appended."""
        nonce = self._nonces.get(key.address, 0)
        transaction = Transaction.signed(
            key, kind, payload, chain=self.name, nonce=nonce, fee=fee, gas=gas, executes=executes
        )
        self._nonces[key.address] = nonce + 1
        return transaction

    def append(
        self,
        transactions: Iterable[Transaction],
        *,
        time_s: float,
        producer: str,
        execution: Mapping[str, Any] | None = None,
    ) -> Block:
        """Link a new block to the tip. `time_s` must not lie before the tip's, or `InputError`."""
        if not time_s >= self.tip.time_s:
            raise InputError(
                f"block of chain {self.name!r} at {time_s} s: its predecessor is of {self.tip.time_s} s; "
                "append blocks in the order of time"
            )
        block = Block.made(
            self.name,
            len(self),
            time_s=float(time_s),
            producer=producer,
            previous=self.tip,
            payload={},
            transactions=tuple(transactions),
            execution=execution,
        )
        self._blocks.append(block)
        for tell in self.on_block:
            tell(block)
        if len(self._blocks) >= 2 * KEPT and self.spool is not None:
            self._put_aside(self.spool)
        return block

    def to_jsonl(self) -> str:
        """All blocks, one line of canonical JSON each."""
        return "".join(f"{line}\n" for line in self.lines()())

    def lines(self) -> Callable[[], Iterator[str]]:
        """What gives the line of each block of now, without its end, by height, whatever comes later."""
        aside, newest = tuple(self._aside), tuple(self._blocks)

        def lines() -> Iterator[str]:
            yield from chain.from_iterable(map(self._read, aside))
            yield from (block.to_line() for block in newest)

        return lines

    def _put_aside(self, spool: Spool) -> None:
        old, self._blocks = self._blocks[:KEPT], self._blocks[KEPT:]
        self._aside.append(spool.put("\n".join([block.to_line() for block in old]).encode()))
        _ = self._blocks[0].previous  # so that it lets go of the block before it

    def _lines_aside(self) -> Iterator[str]:
        return chain.from_iterable(map(self._read, self._aside))

    def _read(self, piece: Piece) -> list[str]:
        assert self.spool is not None
        return self.spool.get(piece).decode().split("\n")
