"""Hidden demand regimes: why a provider's bids carry something to learn."""

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.settings.beliefs import DemandSettings


class DemandRegimes:
    """A hidden Markov chain per provider whose state multiplies its valuation, e.g. calm, busy, boom.

    With probability `stay` a provider keeps its regime; otherwise it moves to the next one in the order of `factors`
    (`cyclic`) or to any of the others alike. `noise` is the relative standard deviation of a log-normal factor of
    mean 1 on top. First regimes are drawn uniformly. `states` (M,) is what nobody but the provider knows.
    """

    def __init__(self, settings: DemandSettings | None = None, *, providers: int, rng: np.random.Generator) -> None:
        demand = settings or DemandSettings()
        self._factors, self._stay = np.array(demand.factors), demand.stay
        self._log_sigma = float(np.sqrt(np.log1p(demand.noise**2)))
        self._cyclic, self._rng = demand.cyclic, rng
        self.states = rng.integers(self._factors.size, size=providers)

    def step(self) -> Floats:
        """Move every provider to its next regime; returns the multipliers (M,) of the valuations."""
        count = self._factors.size
        # every step draws the same number of variates, whatever the settings, so that settings stay comparable
        moves = self._rng.random(self.states.size) >= self._stay
        others = self._rng.integers(1, max(2, count), size=self.states.size)
        normal = self._rng.standard_normal(self.states.size)
        self.states = (self.states + moves * (1 if self._cyclic else others)) % count
        return self._factors[self.states] * np.exp(self._log_sigma * normal - self._log_sigma**2 / 2.0)
