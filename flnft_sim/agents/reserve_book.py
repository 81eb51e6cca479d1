"""The reserve prices that the public ledger lets everyone work out."""

from flnft_sim.market import learned_reserve


class ReserveBook:
    """What the contract would ask for a licence at least, by category: fixed, or learned from past lowest asks."""

    def __init__(self, *, fixed_money: float | None, prior_money: float) -> None:
        self._fixed_money, self._prior_money = fixed_money, prior_money
        self._past_asks: dict[str, list[float]] = {}
        self._learned: dict[str, float] = {}

    def money(self, category: str) -> float:
        """The reserve price of a licence, published before any bid is sealed."""
        if self._fixed_money is not None:
            return self._fixed_money
        if category not in self._learned:
            self._learned[category] = learned_reserve(self._past_asks.get(category, []), self._prior_money)
        return self._learned[category]

    def learn(self, category: str, lowest_ask_money: float) -> None:
        """Take in the lowest ask of an auction."""
        self._past_asks.setdefault(category, []).append(lowest_ask_money)
        self._learned.pop(category, None)
