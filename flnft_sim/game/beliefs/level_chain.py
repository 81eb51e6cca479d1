"""The kind `markov`: transition counts between observed levels, no hidden state."""

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.game.beliefs.base import BELIEFS
from flnft_sim.game.beliefs.forward import HmmParameters
from flnft_sim.game.beliefs.level_belief import LevelBelief
from flnft_sim.game.beliefs.levels import Levels


@BELIEFS.register("markov")
class LevelChain(LevelBelief):
    """The present level's row in a table of counted transitions, one added to each count.

    This is the hidden Markov model whose states are the levels themselves, so the filter is the same.
    """

    def _fit(self, bids: Floats, lengths: list[int]) -> tuple[Levels, HmmParameters]:
        levels = Levels.of(bids, self.options.levels)
        symbols, count = levels.indices(bids), len(levels)
        follows = np.ones(bids.size - 1, dtype=bool)
        follows[np.cumsum(lengths)[:-1] - 1] = False  # the pair across a gap is none
        counts = np.ones((count, count))
        np.add.at(counts, (symbols[:-1][follows], symbols[1:][follows]), 1.0)
        start = np.bincount(symbols, minlength=count) / bids.size
        return levels, HmmParameters(start, counts / counts.sum(axis=1, keepdims=True), np.eye(count))
