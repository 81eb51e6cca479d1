"""What the contract clears is what `flnft_sim.market.clear` clears, on random markets with ties."""

from itertools import permutations

import numpy as np
import pytest
from eth_utils import to_checksum_address
from stage import key

from flnft_sim.chain.artifacts import read_artifact
from flnft_sim.chain.contracts import Stage
from flnft_sim.chain.engine import ENGINES, BlockEnv
from flnft_sim.chain.errors import ContractRevert
from flnft_sim.chain.limits import MAX_ASKS, MAX_BIDS
from flnft_sim.chain.seals import winning_order
from flnft_sim.chain.transactions import Call, signed
from flnft_sim.market import clear
from flnft_sim.market.lots import Lots

BLOCK = BlockEnv(1, 1_700_000_000)


class Bench:
    """The auction contract with bids and asks opened already: one call a market, none of which is kept."""

    def __init__(self, root):
        made = read_artifact(root / "tests/chain/artifacts/ClearingBench.json")
        maker = key("maker")
        self.engine = ENGINES.get("pyevm")(fork="prague", chain_id=1337, alloc={maker.address: 10**18})
        raw = signed(Call(None, made.bytecode), maker, chain_id=1337, nonce=0, gas=10**7, fork="prague")
        self.address = self.engine.execute(BLOCK, raw).created
        self.abi, self.run = made.abi, made.abi.function("run")

    def clear(self, bids, asks, reserve, draw, bidders, order):
        """Price (None without a trade), the winning token, and each bid's rank (0: lost)."""
        most = 2**128 - 1 if np.isinf(reserve) else int(reserve)
        data = self.run.call([most, draw, bidders, bids, asks, order])
        done = self.engine.call(BLOCK, self.address, data, gas=50_000_000)
        if not done.success:
            raise self.abi.revert(done)
        sale, ranks = self.run.decode(done.output)
        cleared = sale[6] == Stage.CLEARED
        return (sale[3] if cleared else None), (sale[-1] - 1 if cleared else None), list(ranks)


def market(rng):
    """Bids, asks and a reserve of few values, so that many are equal; sometimes a side is empty."""
    top = int(rng.choice([2, 5, 1000]))
    bids, asks = (rng.integers(0, top + 1, rng.integers(0, most)).tolist() for most in (9, 6))
    reserve = np.inf if rng.random() < 0.3 else float(rng.integers(0, top + 1))
    return bids, asks, reserve, rng.bytes(32), [to_checksum_address(rng.bytes(20)) for _ in bids]


def cleared_alike(bench, bids, asks, reserve, draw, bidders):
    """Price, seller, winners and ranks are the same on both, and the money adds up."""
    addresses = [bytes.fromhex(bidder[2:]) for bidder in bidders]
    lots = Lots.sealed(draw, bidders=addresses, tokens=range(1, len(asks) + 1))
    ours = clear("pms-am", bids, asks, reserve=reserve, lots=lots)
    book = dict(enumerate(zip(bidders, bids, strict=True)))
    order = b"" if ours.price is None else winning_order(book, int(ours.price), draw)
    assert list(order) == ours.buyers.tolist()
    price, seller, ranks = bench.clear(bids, asks, reserve, draw, bidders, order)
    assert price == ours.price
    assert ([] if seller is None else [seller]) == ours.sellers.tolist()
    assert [place for rank, place in sorted((rank, place) for place, rank in enumerate(ranks)) if rank] == list(order)
    assert sum(ours.receipts) == (price or 0) * len(order)


@pytest.fixture(scope="module")
def bench(root):
    return Bench(root)


def many(bench, count, seed):
    """Compare so many random markets; tells how many had equal bids or asks."""
    rng, tied = np.random.default_rng(seed), 0
    for _ in range(count):
        bids, asks, reserve, draw, bidders = market(rng)
        cleared_alike(bench, bids, asks, reserve, draw, bidders)
        tied += len(set(bids)) < len(bids) or len(set(asks)) < len(asks)
    return tied


def test_500_markets_clear_as_the_simulator_clears_them(bench):
    assert many(bench, 500, seed=21) > 200


@pytest.mark.slow
def test_10000_markets_clear_as_the_simulator_clears_them(bench):
    assert many(bench, 10_000, seed=22) > 4_000


def test_a_market_that_is_full_clears_as_the_simulator_clears_it(bench):
    """256 bids and 32 asks, in which each value comes many times."""
    rng = np.random.default_rng(23)
    bidders = [to_checksum_address(rng.bytes(20)) for _ in range(MAX_BIDS)]
    bids, asks = rng.integers(5, 50, MAX_BIDS).tolist(), rng.integers(3, 9, MAX_ASKS).tolist()
    cleared_alike(bench, bids, asks, np.inf, rng.bytes(32), bidders)


def test_any_other_order_is_refused(bench):
    """Of equals too: the lots decide, and nobody is left out, added or listed twice."""
    rng = np.random.default_rng(24)
    bidders = [to_checksum_address(rng.bytes(20)) for _ in range(4)]
    draw, bids, asks = rng.bytes(32), [7, 7, 7, 2], [1, 3]
    right = winning_order(dict(enumerate(zip(bidders, bids, strict=True))), 3, draw)
    assert bench.clear(bids, asks, np.inf, draw, bidders, right)[0] == 3
    wrong = [bytes(order) for order in permutations(right) if bytes(order) != right]
    wrong += [right[:2], right + right[:1], right + b"\3", right + b"\7", b""]
    for order in wrong:
        with pytest.raises(ContractRevert, match=r"OutOfOrder|Incomplete"):
            bench.clear(bids, asks, np.inf, draw, bidders, order)
