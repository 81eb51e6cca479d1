"""What a block's header says of its receipts: their root and the bloom of their logs (yellow paper, 4.3.1)."""

from collections.abc import Iterable, Sequence

import rlp
from eth_bloom import BloomFilter
from trie import HexaryTrie

from flnft_sim.chain.engine import Executed, Log


def receipts_root(executed: Sequence[Executed]) -> bytes:
    """Return the root of the tree of a block's receipts, in the order of its transactions."""
    tree, total = HexaryTrie({}), 0
    for place, done in enumerate(executed):
        total += done.gas_used
        tree[rlp.encode(place)] = _receipt(done, total)
    return bytes(tree.root_hash)


def logs_bloom(executed: Iterable[Executed]) -> bytes:
    """Return the 256 bytes by which one sees that a block has no log of some contract or topic."""
    return _bloom(log for done in executed for log in done.logs)


def _receipt(done: Executed, total: int) -> bytes:
    logs = [[bytes.fromhex(log.address[2:]), list(log.topics), log.data] for log in done.logs]
    body = rlp.encode([b"\1" if done.success else b"", total, _bloom(done.logs), logs])
    return bytes(body) if not done.kind else bytes([done.kind]) + body


def _bloom(logs: Iterable[Log]) -> bytes:
    bloom = BloomFilter()
    for log in logs:
        bloom.add(bytes.fromhex(log.address[2:]))
        bloom.extend(log.topics)
    return int(bloom).to_bytes(256, "big")
