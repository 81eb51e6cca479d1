"""A hash-linked chain of blocks, its file form, and its verification."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flnft_sim.errors import InputError
from flnft_sim.json_text import read_json
from flnft_sim.ledger.canonical import canonical_json, canonical_list, canonical_object, sha256_hex
from flnft_sim.ledger.errors import VerificationError
from flnft_sim.ledger.keys import KeyPair
from flnft_sim.ledger.late import late
from flnft_sim.ledger.transactions import Payload, Transaction

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
        own = object.__new__(cls)
        vars(own).update(
            chain=chain,
            height=height,
            time_s=time_s,
            producer=producer,
            payload=payload,
            transactions=transactions,
            execution=execution,
            **({"_before": previous} if isinstance(previous, Block) else {"previous": previous}),
        )
        return own

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
        return sha256_hex(canonical_object(self._header()))

    def _header(self) -> dict[str, str]:
        names = ("chain", "height", "payload", "previous", "producer", "root", "time_s")
        executed = () if self.execution is None else ("execution",)
        return {name: canonical_json(getattr(self, name)) for name in (*names, *executed)}

    def to_line(self) -> str:
        """The block as one line of canonical JSON, without the line's end."""
        transactions = canonical_list(each.to_text() for each in self.transactions)
        return canonical_object(self._header() | {"hash": canonical_json(self.hash), "transactions": transactions})

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
    `on_block` is told of every block as it is appended.
    """

    def __init__(self, name: str, *, genesis: Mapping[str, Any] | None = None) -> None:
        self.name = name
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
        """All blocks by height."""
        return tuple(self._blocks)

    @property
    def tip(self) -> Block:
        """The latest block."""
        return self._blocks[-1]

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> "Chain":
        """The chain that holds these blocks, genesis first; nothing is verified."""
        chain = cls(blocks[0].chain)
        chain._blocks = list(blocks)
        return chain

    def __len__(self) -> int:
        return len(self._blocks)

    def transactions(self, kind: str | None = None) -> Iterator[Transaction]:
        """All transactions in ledger order, or those of one kind."""
        for block in self._blocks:
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
            len(self._blocks),
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
        return block

    def to_jsonl(self) -> str:
        """All blocks, one line of canonical JSON each."""
        return "".join(f"{block.to_line()}\n" for block in self._blocks)
