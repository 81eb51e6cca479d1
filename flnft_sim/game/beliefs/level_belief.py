"""What kinds over quantile levels share: the history, when to fit, and the forward filter."""

from abc import abstractmethod
from array import array

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.game.beliefs.base import BeliefOptions, Part
from flnft_sim.game.beliefs.forward import ForwardFilter, HmmParameters
from flnft_sim.game.beliefs.levels import Levels
from flnft_sim.game.beliefs.simple import LastBid


class LevelBelief(LastBid):
    """The last bid below `min_history` bids, then a filter that is fitted anew every `refit_every` bids."""

    def __init__(self, options: BeliefOptions) -> None:
        super().__init__(options)
        self._history = array("d")  # NaN stands for a gap
        self._bids = 0
        self._next_fit = options.min_history
        self._fitted: tuple[Levels, HmmParameters] | None = None
        self._filter: ForwardFilter | None = None

    @abstractmethod
    def _fit(self, bids: Floats, lengths: list[int]) -> tuple[Levels, HmmParameters]:
        """Levels and model of the bids so far, which come in unbroken runs of these lengths."""

    def observe(self, bid: float) -> None:
        super().observe(bid)
        self._history.append(bid)
        self._bids += 1
        if self._bids >= self._next_fit:
            self._refit()
        elif self._fitted is not None and self._filter is not None:
            self._filter.observe(self._fitted[0].index(bid))

    def observe_gap(self) -> None:
        self._history.append(np.nan)
        if self._filter is not None:
            self._filter.skip()

    def predict(self) -> tuple[Floats, Floats]:
        if self._fitted is None or self._filter is None:
            return super().predict()
        return self._fitted[0].values, self._filter.predict()

    def parts(self) -> tuple[Part, ...]:
        if self._fitted is None:
            return super().parts()
        values, probabilities = self.predict()
        return (Part(1.0, values, probabilities, np.array(self._fitted[0].edges)),)

    @property
    def fallback(self) -> str | None:
        if self._last is not None and self._filter is None:
            return f"{self._bids} of {self.options.min_history} bids observed: the last bid is predicted"
        return super().fallback

    def _refit(self) -> None:
        history = np.array(self._history)
        present = ~np.isnan(history)
        runs = _runs(present)
        levels, parameters = self._fitted = self._fit(history[present], [end - start for start, end in runs])
        self._next_fit = self._bids + self.options.refit_every
        self._filter = ForwardFilter(parameters)
        symbols, skipped_to = levels.indices(history), 0
        for start, end in runs:  # the last of which ends with the bid that was just observed
            for _ in range(start - skipped_to):
                self._filter.skip()
            self._filter.observe_all(symbols[start:end])
            skipped_to = end


def _runs(present: np.ndarray) -> list[tuple[int, int]]:
    """From where to where the runs of True go."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], present.astype(np.int8), [0]))))
    return [(start, end) for start, end in edges.reshape(-1, 2).tolist()]
