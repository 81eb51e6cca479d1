"""Read a ledger file back and check every link, hash and signature in it."""

from collections import defaultdict

from flnft_sim.errors import bare, shown
from flnft_sim.ledger.chain import NO_BLOCK, Block, Chain
from flnft_sim.ledger.errors import VerificationError
from flnft_sim.ledger.transactions import Transaction


def read_ledger(text: str, *, source: str = "ledger.jsonl") -> dict[str, Chain]:
    """Read and verify the chains of a ledger file (whose lines may interleave), by name in order of appearance.

    Checks, line by line: canonical form, height, hash link, time order, root and header hash, and of every
    transaction the chain, the sender's address, the nonce (not used before by that sender) and the signature. The
    first that does not hold raises `VerificationError` naming line, chain, block and transaction.
    """
    blocks: dict[str, list[Block]] = defaultdict(list)
    nonces: dict[str, set[tuple[str, int]]] = defaultdict(set)
    if not text.endswith("\n"):
        raise VerificationError(f"{source}: the last line has no end; the file is empty or cut short")
    for number, line in enumerate(text[:-1].split("\n"), start=1):
        try:
            block = Block.from_line(line)
            _check_block(block, line, blocks[block.chain], nonces[block.chain])
        except VerificationError as error:
            raise VerificationError(f"{source} line {number}: {error}") from None
        except (TypeError, ValueError, AttributeError, RecursionError):
            raise VerificationError(f"{source} line {number}: holds a value of a wrong type") from None
        blocks[block.chain].append(block)
    return {name: Chain.of(chain) for name, chain in blocks.items()}


def _check_block(block: Block, line: str, before: list[Block], nonces: set[tuple[str, int]]) -> None:
    where = f"block {shown(block.height)} of chain {shown(block.chain)}"
    if block.to_line() != line:
        raise VerificationError(f"{where} is not written in canonical form")
    if block.height != len(before):
        raise VerificationError(f"{where} stands where block {len(before)} belongs")
    if block.previous != (before[-1].hash if before else NO_BLOCK):
        raise VerificationError(f"{where} is not linked to the hash of the block before it")
    if before and block.time_s < before[-1].time_s:
        raise VerificationError(f"{where} is dated before the block that it follows")
    recomputed = Block.made(
        block.chain,
        block.height,
        time_s=block.time_s,
        producer=block.producer,
        previous=block.previous,
        payload=block.payload,
        transactions=block.transactions,
        execution=block.execution,
    )
    if block.root != recomputed.root:
        raise VerificationError(f"{where}: its root is not that of its transactions")
    if block.hash != recomputed.hash:
        raise VerificationError(f"{where}: its hash is not that of its header")
    for index, transaction in enumerate(block.transactions):
        try:
            _check_transaction(transaction, block.chain, nonces)
        except VerificationError as error:
            raise VerificationError(f"{where}, transaction {index} ({bare(transaction.kind)}): {error}") from None


def _check_transaction(transaction: Transaction, chain: str, nonces: set[tuple[str, int]]) -> None:
    if transaction.chain != chain:
        raise VerificationError(f"was signed for chain {shown(transaction.chain)}")
    transaction.verify()
    use = (transaction.sender, transaction.nonce)
    if use in nonces:
        raise VerificationError(f"nonce {shown(transaction.nonce)} of {bare(transaction.sender)} was used before")
    nonces.add(use)
