"""Auctions that could not be held, and why."""

from collections import Counter
from collections.abc import Iterator, Sequence

from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.dao.deliveries import astray
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.world import World
from flnft_sim.market import Content, Matching
from flnft_sim.results.tables import AuctionRow

NOTHING_DELIVERED = "no update was aggregated"
"""The outcome of a minting in which nobody's work arrived: there is no model to sell, and no budget was locked."""

_NAMED = 3  # of several DAOs with one outcome
_NO_BUYER = {False: "no provider demands this category", True: "no provider that these keywords suit is left for it"}


class Unheld:
    """Keeps a row for those of a category who came to no auction, named apart from the auction that others held."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._count: Counter[str] = Counter()

    def tell(
        self,
        episode: int,
        daos: Sequence[MuDao],
        empty_handed: Sequence[MuDao],
        sellers: Sequence[MuDao],
        matching: Matching,
        buyers: Sequence[ServiceProvider],
    ) -> None:
        """Say of an episode who is left over: sellers without buyers, who withdrew, who minted nothing, buyers."""
        unsold = [sellers[i].category for i in matching.unmatched_sellers]
        left_over = [(content, _NO_BUYER[bool(Content.named(content).keywords)]) for content in unsold]
        left_over += [(dao.category, f"{dao.name} withdrew") for dao in daos if dao.withdraws]
        left_over += _minted_nothing(empty_handed)
        told = {category for category, _ in left_over}
        wanted = [buyers[j].category for j in matching.unmatched_buyers]
        left_over += [(category, "no DAO sells it") for category in wanted if category not in told]
        for category, reason in dict.fromkeys(left_over):
            self.record(f"{category}-e{episode}", category, reason)

    def record(self, auction: str, category: str, reason: str) -> None:
        """Keep one row of those who are missing in what would have been `auction`."""
        self._count[auction] += 1
        self._world.records.auctions.append(
            AuctionRow(
                auction=f"{auction}-unheld-{self._count[auction]}",
                category=category,
                rule=self._world.settings.market.rule,
                reason=reason,
            )
        )


def _minted_nothing(daos: Sequence[MuDao]) -> Iterator[tuple[str, str]]:
    """By category, the outcome of DAOs that have nothing on offer, with what became of their members' updates."""
    for category in dict.fromkeys(dao.category for dao in daos):
        empty = [dao for dao in daos if dao.category == category]
        more = f" and {len(empty) - _NAMED} more" if empty[_NAMED:] else ""
        names = ", ".join(dao.name for dao in empty[:_NAMED]) + more
        fate = astray([dao.deliveries for dao in empty])
        yield category, f"{names} minted nothing: {NOTHING_DELIVERED} ({fate})"
