"""The hop of a request: from whoever submits a transaction to the primary that is to propose it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.checks import not_negative
from flnft_sim.errors import InputError


@dataclass(frozen=True)
class RequestHop:
    """Delays of requests over the links that the replicas' own messages take; `rng` is for these draws alone.

    `base_s` (n, n) are the mean delays between replicas, diagonal 0; `mean_s` and `sd_s` are mean and deviation of one
    link. Variances add up along a path, so the deviation grows with the root of its delay. `slow` multiplies the delays
    of all messages from and to a replica. Who keeps no replica reaches any of them over one mean link.
    """

    base_s: Floats
    mean_s: float
    sd_s: float
    rng: np.random.Generator
    slow: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = np.shape(self.base_s)
        if len(shape) != 2 or shape[0] != shape[1]:
            raise InputError(f"consensus pbft: base_s has shape {shape}; give an (n, n) array of delays")
        not_negative("consensus pbft: mean_s", self.mean_s, "s")
        not_negative("consensus pbft: sd_s", self.sd_s, "s")

    def expected_s(self, submitter: int | None, primary: int) -> float:
        """The mean delay from a replica's keeper (None: from someone without one) to the primary; 0 to oneself."""
        return self._link_s(submitter, primary) * self._factor(submitter, primary)

    def draw_s(self, submitter: int | None, primary: int) -> float:
        """One request's delay, normal about its mean and cut off at 0; one number is drawn whoever submits."""
        draw, link_s = float(self.rng.standard_normal()), self._link_s(submitter, primary)
        links = link_s / self.mean_s if self.mean_s > 0 else 0.0
        return max(link_s + self.sd_s * math.sqrt(links) * draw, 0.0) * self._factor(submitter, primary)

    def _link_s(self, submitter: int | None, primary: int) -> float:
        if submitter is None or submitter >= len(self.base_s):
            return self.mean_s
        return float(self.base_s[submitter, primary])

    def _factor(self, submitter: int | None, primary: int) -> float:
        """As for the replicas' messages: both ends count."""
        return (1.0 if submitter is None else self.slow.get(submitter, 1.0)) * self.slow.get(primary, 1.0)
