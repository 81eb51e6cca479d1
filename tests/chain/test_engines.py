"""Two engines by different people agree on every transaction: gas, logs, output and the state's root (I11)."""

from importlib.util import find_spec

import pytest
from stage import Stage

from flnft_sim.chain.errors import ContractRevert
from flnft_sim.chain.replay import replay


@pytest.mark.skipif(find_spec("ethereum") is None, reason="the second engine is not installed (group oracle)")
def test_an_auction_of_40_bids_is_the_same_on_both_engines():
    stage = Stage(bidders=40)
    auction, _, tokens = stage.sold([10**16 + place % 7 for place in range(40)], [10**15, 2 * 10**15])
    stage.settle(auction)
    winner = stage.bidders[6]
    stage.do(stage.auction.withdraw(winner.address), winner)
    for call in (stage.auction.cancel(auction), stage.nft.buy(tokens[0], 1, price=5)):
        with pytest.raises(ContractRevert):
            stage.do(call, stage.stranger)
    chain = stage.chain
    blocks = [chain.block(number).to_dict() for number in range(1, chain.last.number + 1)]
    again = replay(stage.genesis.to_dict(), blocks, engine="eels")  # raises where a root, a receipt or gas differs
    for number in range(1, chain.last.number + 1):
        assert again.block(number).own == chain.block(number).own


def test_an_engine_that_is_not_there_is_told():
    if find_spec("ethereum") is not None:
        pytest.skip("the second engine is installed here")
    from flnft_sim.errors import InputError

    with pytest.raises(InputError, match="the engine eels is not installed; pip install --group oracle"):
        Stage(engine="eels")
