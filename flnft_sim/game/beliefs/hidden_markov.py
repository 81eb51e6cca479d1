"""Kinds built on the hidden Markov model: `hmm`, `hmm-mode` (the paper's choice) and `blend`."""

from dataclasses import replace

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.game.beliefs.base import BELIEFS, Belief, BeliefOptions, Part, certainty
from flnft_sim.game.beliefs.fitting import fresh_start, log_likelihood, refit, with_levels
from flnft_sim.game.beliefs.forward import HmmParameters
from flnft_sim.game.beliefs.level_belief import LevelBelief
from flnft_sim.game.beliefs.levels import Levels
from flnft_sim.game.beliefs.simple import MovingAverage


@BELIEFS.register("hmm")
class HiddenMarkov(LevelBelief):
    """The distribution of the next bid's level under a hidden Markov model of the bids so far (Eq. 31 to 33).

    Each fit starts from the last one's parameters. Levels are drawn anew only when the history has doubled, so that
    in between the parameters stay comparable: the likelihood of all bids never falls by a refit.
    """

    def __init__(self, options: BeliefOptions) -> None:
        super().__init__(options)
        self._rng = np.random.default_rng(options.seed)
        self._next_levels = 0

    def _fit(self, bids: Floats, lengths: list[int]) -> tuple[Levels, HmmParameters]:
        if self._fitted is None or bids.size >= self._next_levels:
            self._next_levels = 2 * bids.size
            return self._fit_on_new_levels(bids, lengths)
        levels, parameters = self._fitted
        return levels.with_medians_of(bids), refit(levels.indices(bids), lengths, parameters)

    def _fit_on_new_levels(self, bids: Floats, lengths: list[int]) -> tuple[Levels, HmmParameters]:
        """The likelier of a fresh fit and one that starts from the last parameters."""
        levels = Levels.of(bids, self.options.levels)
        symbols = levels.indices(bids)
        starts = [fresh_start(self.options.states, len(levels), self._rng)]
        if self._fitted is not None:
            old_levels, parameters = self._fitted
            starts.append(with_levels(old_levels.indices(bids), lengths, parameters, symbols, len(levels)))
        fits = [refit(symbols, lengths, start) for start in starts]
        return levels, max(fits, key=lambda fit: log_likelihood(symbols, lengths, fit))


@BELIEFS.register("hmm-mode")
class HiddenMarkovMode(HiddenMarkov):
    """The most likely level of `hmm`, as the paper plays it."""

    def predict(self) -> tuple[Floats, Floats]:
        levels, probabilities = super().predict()
        return certainty(float(levels[np.argmax(probabilities)]))

    def parts(self) -> tuple[Part, ...]:
        return (Part.of(*self.predict()),)


@BELIEFS.register("blend")
class Blend(Belief):
    """`hmm` with `blend_weight`, `ewma` with the rest: damps the belief where everybody's play would cycle."""

    def __init__(self, options: BeliefOptions) -> None:
        super().__init__(options)
        self._hmm, self._ewma = HiddenMarkov(options), MovingAverage(options)

    def observe(self, bid: float) -> None:
        self._hmm.observe(bid)
        self._ewma.observe(bid)

    def observe_gap(self) -> None:
        self._hmm.observe_gap()

    def predict(self) -> tuple[Floats, Floats]:
        weight = self.options.blend_weight
        levels, probabilities = self._hmm.predict()
        average, one = self._ewma.predict()
        values = np.concatenate((levels, average))
        order = np.argsort(values, kind="stable")
        return values[order], np.concatenate((weight * probabilities, (1.0 - weight) * one))[order]

    def parts(self) -> tuple[Part, ...]:
        (levels,), (average,) = self._hmm.parts(), self._ewma.parts()
        weight = self.options.blend_weight
        return replace(levels, weight=weight), replace(average, weight=1.0 - weight)

    @property
    def fallback(self) -> str | None:
        return self._hmm.fallback
