"""What becomes of a pot: delivery is measured, then money goes where it is due, and licences to who paid."""

from collections.abc import Sequence

from flnft_sim.agents.committer import Committer
from flnft_sim.agents.contract.recording import auction_row
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.mechanisms.base import Parties, Process
from flnft_sim.agents.mechanisms.evaluation import evaluated, true_quality
from flnft_sim.agents.mechanisms.rows import delivery_row
from flnft_sim.agents.mechanisms.sale import Sale
from flnft_sim.agents.promise import Measured
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.game.contest import measured_freshness, release
from flnft_sim.ledger import from_units
from flnft_sim.market import Payout


class Settling:
    """Measures and settles sales, each by itself."""

    def __init__(self, parties: Parties, committers: Sequence[Committer]) -> None:
        self.parties, self.committers = parties, committers

    def mint_block_s(self, dao: MuDao, since_s: float) -> float:
        """The timestamp of the public block that holds the DAO's mint, infinite while none does."""
        for block in self.parties.world.public_chain.chain.backwards():
            if block.time_s < since_s:
                break
            if any(each.kind == "mint" and each.payload["dao"] == dao.name for each in block.transactions):
                return block.time_s
        return float("inf")

    def as_delivered(self, dao: MuDao) -> Measured:
        """What a minted model is, by its weights and the public chain's timestamps."""
        block_s = self.mint_block_s(dao, dao.age.start_s)
        horizon_s = self.parties.world.settings.game.freshness_horizon_s
        return Measured(true_quality(dao), float(measured_freshness(dao.age.age(block_s), horizon_s=horizon_s)))

    def measure(self, sale: Sale, dao: MuDao) -> Process:
        """Have a test set opened, and take the median of what evaluators report."""
        contract, opened, asked = self.parties.contract, False, 0
        while not opened:
            committer = self.committers[asked]
            asked += 1
            opened = yield from committer.open(sale.name)
            if not opened:
                sale.pot.forfeit_bond(committer.address)
        there = self.as_delivered(dao)
        rng = self.parties.world.streams.generator("evaluators", dao.number, len(contract.auctions))
        sale.report, said = evaluated(dao, len(sale.pot.paid), there.quality, asked, rng)
        sale.model = Measured(sale.report.median, there.freshness)
        with contract.doing("clearing", auction=sale.name):
            payload = {"auction": sale.name, "qualities": said, "median": sale.report.median}
            yield self.parties.world.public_chain.submit("evaluation", contract.key, payload)

    def settle(self, sale: Sale, dao: MuDao) -> Process:
        """Release, refund and sink by what was delivered; then licences."""
        assert sale.model is not None and dao.nft is not None
        delivered = sale.promise.delivered(sale.model)
        exponent = sale.promise.exponent(len(dao.members), self.parties.world.settings.game.score_epochs_exponent)
        due = release(list(sale.pot.paid.values()), delivered, exponent=exponent)
        payout = sale.pot.settle(
            dao.address,
            dict(zip(dao.members.addresses, dao.nft.shares.tolist(), strict=True)),
            released=due.released,
            refunds=dict(zip(sale.pot.paid, due.refunds.tolist(), strict=True)),
        )
        sale.pot.return_bond(dao.address)
        yield from self._close(sale, dao, payout)

    def hand_over(self, sale: Sale) -> Process:
        """Where the work came first, buyers have seen what they pay for: all of it is released."""
        dao = sale.winner
        assert dao is not None and dao.nft is not None
        sale.due_by_s, sale.minted_s = sale.cleared_s, self.mint_block_s(dao, dao.age.start_s)
        sale.model = self.as_delivered(dao)
        shares = dict(zip(dao.members.addresses, dao.nft.shares.tolist(), strict=True))
        payout = sale.pot.settle(dao.address, shares, released=sale.pot.units, refunds={})
        sale.pot.return_bond(dao.address)
        yield from self._close(sale, dao, payout)

    def give_back(self, sale: Sale, dao: MuDao) -> Process:
        """Nothing was minted in time: everybody gets everything back, and the bond is lost."""
        sale.minted_s = float("nan")
        payout = sale.pot.refund()
        sale.pot.forfeit_bond(dao.address)
        yield from self._close(sale, dao, payout)

    def _close(self, sale: Sale, dao: MuDao, payout: Payout) -> Process:
        """Grant licences of what was delivered, publish what moved, and record it."""
        contract, auction = self.parties.contract, sale.auction
        places = {buyer.address: place for place, buyer in enumerate(auction.buyers)}
        auction.refunds = {places[winner]: from_units(units) for winner, units in payout.refunds.items()}
        for place in auction.winners:
            auction.delivered_worths[place] = _delivered_worth(sale, auction.buyers[place])
        if sale.model is not None and auction.clearing is not None:
            contract.grant(auction, auction.clearing)
        self.return_bonds(sale)
        yield from contract.publish_entries(auction)
        self.parties.world.records.deliveries.append(delivery_row(sale, dao, payout, self.parties.world))
        dao.members.book(payout.shares)
        self.record(sale, payout)
        if sale.model is not None and auction.clearing is not None:
            yield from contract.resell(auction, auction.clearing)

    def record(self, sale: Sale, payout: Payout | None) -> None:
        """Rows of the auction and its bids."""
        auction, world = sale.auction, self.parties.world
        self.parties.contract.end(auction)
        row = auction_row(auction, world.settings.market.rule)
        row.dao_receipt_money = 0.0 if payout is None else from_units(payout.released)
        world.records.auctions.append(row)

    def return_bonds(self, sale: Sale) -> None:
        """Give committers back what they have put up, but for who stayed silent."""
        for committer in self.committers:
            sale.pot.return_bond(committer.address)


def _delivered_worth(sale: Sale, buyer: ServiceProvider) -> float:
    """What the model as delivered is worth to a winner; nothing where there is none."""
    if sale.model is None:
        return 0.0
    return sale.promise.worth(buyer.valuation_money, buyer.quality_elasticity, sale.model)
