"""The reserve prices that the public ledger lets everyone work out."""

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from flnft_sim.market import learned_reserve, upper_quartile


class ReserveBook:
    """What the contract would ask for a licence at least, by category: fixed, or learned from past lowest asks."""

    def __init__(self, *, fixed_money: float | None, prior_money: float) -> None:
        self._fixed_money, self._prior_money = fixed_money, prior_money
        self._past_asks: dict[str, list[float]] = {}  # ascending
        self._learned: dict[str, float] = {}

    def money(self, category: str) -> float:
        """The reserve price of a licence, published before any bid is sealed."""
        if self._fixed_money is not None:
            return self._fixed_money
        if category not in self._learned:
            past = self._past_asks.get(category)
            self._learned[category] = upper_quartile(past) if past else self._prior_money
        return self._learned[category]

    def learn(self, category: str, lowest_ask_money: float) -> None:
        """Take in the lowest ask of an auction."""
        insort(self._past_asks.setdefault(category, []), lowest_ask_money)
        self._learned.pop(category, None)


@dataclass(frozen=True)
class _Sale:
    """What was said in one sale, and by the owners of which names."""

    owners: frozenset[str]
    asks_money: tuple[float, ...]
    bids_money: tuple[float, ...]


@dataclass
class TotalReserves:
    """The most that a sale may cost in all: fixed, or learned from sales in which none of those at hand had a part.

    A party that moved the reserve of its own next sale would gain by what it says in this one: with one DAO, asking 140
    without a trade would lift the next target from 20 to 140. Names of one owner count as one party, whoever of them
    spoke; where nothing is left to learn from, the reserve is the prior.
    """

    fixed_money: float | None
    prior_money: float
    owner_of: Mapping[str, str] = field(default_factory=dict)
    """Whose a name is, of those that are not their own."""
    _past: list[_Sale] = field(default_factory=list)

    def money(self, parties: Iterable[str], *, epochs: int = 1) -> float:
        """The reserve of a sale among `parties`: nothing that any of them ever said, or bid against, moves it.

        Where sales promise other epochs a round, what is learned is an ask by promised epoch.
        """
        if self.fixed_money is not None:
            return self.fixed_money
        others = [epochs * ask for sale in self._of_others(parties) for ask in sale.asks_money]
        return learned_reserve(others, self.prior_money)

    def bids_money(self, parties: Iterable[str]) -> tuple[float, ...]:
        """What was bid in sales without any of `parties`: all that a rule may learn of values."""
        return tuple(bid for sale in self._of_others(parties) for bid in sale.bids_money)

    def learn(
        self,
        parties: Iterable[str],
        asks_money: Iterable[float],
        bids_money: Iterable[float] = (),
        *,
        epochs: int = 1,
    ) -> None:
        """Take in the total asks and the bids of a sale that promised so many epochs a round."""
        by_epoch = tuple(ask / epochs for ask in asks_money)
        self._past.append(_Sale(self._owners(parties), by_epoch, tuple(bids_money)))

    def _of_others(self, parties: Iterable[str]) -> Iterator[_Sale]:
        here = self._owners(parties)
        return (sale for sale in self._past if not here & sale.owners)

    def _owners(self, parties: Iterable[str]) -> frozenset[str]:
        return frozenset(self.owner_of.get(name, name) for name in parties)
