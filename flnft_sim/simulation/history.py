"""The story's first chapter: past auctions, played off the clock, which beliefs and reserves learn from."""

from flnft_sim.ledger import Transaction
from flnft_sim.simulation.cast import Cast


def play_history(cast: Cast, auctions: int) -> None:
    """Play `auctions` past auctions of every category off the clock, all on the ledger."""
    transactions: list[Transaction] = []
    measured = [dao.experience for dao in cast.daos]
    for dao in cast.daos if auctions else ():
        dao.experience = dao.expecting(cast.settings.game.default_epochs)
    for number in range(auctions):
        cast.next_demand()
        for category in dict.fromkeys(dao.category for dao in cast.daos):
            transaction = cast.mechanism.past_auction(f"{category}-h{number}", category)
            if transaction is not None:
                transactions.append(transaction)
    for dao, nothing in zip(cast.daos, measured, strict=True):
        dao.experience = nothing
    if transactions:
        cast.world.public_chain.chain.append(transactions, time_s=0.0, producer="history")
