"""A contest for a given pot, as an equation of each user: the efforts that its share makes best, and their score."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flnft_sim.arrays import Bools, Floats, Ints


@dataclass(frozen=True)
class Game:
    """N able users and what they compete for; `of` gives some of them.

    Arrays (N,), money; ages as `ContestTerms`. The ends of k are single numbers where all users have the same.
    """

    pot: float
    log_theta: Floats
    compute: Floats
    privacy: Floats
    a: float
    b: float
    epochs_range: tuple[Floats, Floats]
    privacy_range: tuple[float, float]
    ageing: tuple[float, Floats, Floats] | None = None

    def __len__(self) -> int:
        return len(self.log_theta)

    def of(self, users: Bools | Ints | slice) -> "Game":
        """The same contest among some of the users."""
        low, high = (end if end.ndim == 0 else end[users] for end in self.epochs_range)
        return Game(
            self.pot,
            self.log_theta[users],
            self.compute[users],
            self.privacy[users],
            self.a,
            self.b,
            (low, high),
            self.privacy_range,
            None if self.ageing is None else (self.ageing[0], self.ageing[1][users], self.ageing[2][users]),
        )

    def efforts(self, share: Floats) -> tuple[Floats, Floats]:
        """k and ε that a share s makes best: (N,) each."""
        margin = self.pot * share * (1.0 - share)
        return self._epochs(margin), self._privacy(margin)

    def cash(self, share: Floats) -> Floats:
        """Money that each user keeps at its share: (N,)."""
        epochs, privacy = self.efforts(share)
        return self.pot * share - self.compute * epochs - self.privacy * privacy

    def log_scores(self, share: Floats) -> Floats:
        """ln c (N,) of the efforts that these shares make best."""
        epochs, privacy = self.efforts(share)
        return self._counted(epochs, np.log(epochs), np.log(privacy))

    def log_limits(self) -> tuple[float, float]:
        """ln X where everybody works least, and where everybody works most."""
        ends = []
        for epochs, privacy in zip(self.epochs_range, self.privacy_range, strict=True):
            ends.append(log_sum(self._counted(epochs, np.log(epochs), np.full(len(self), np.log(privacy)))))
        return ends[0], ends[1]

    def log_score(self, z: Floats, log_share: Floats) -> tuple[Floats, Floats, Floats]:
        """ln c at the efforts that s makes best, its slope in z, and s, each (N,)."""
        share = np.exp(log_share)
        log_margin = 2.0 * log_share - z  # of s(1 − s)
        log_score, slope = self.counted_efforts(log_margin)
        log_score += self.log_theta
        slope *= 1.0 - 2.0 * share
        return log_score, slope, share

    def counted_efforts(self, log_margin: Floats) -> tuple[Floats, Floats]:
        """ln c/θ at the efforts that a margin s(1 − s) makes best, and its slope in the logarithm of the margin."""
        counted, slope = self._epochs_in_logarithms(log_margin)
        if self.b > 0.0:
            low, high = np.log(self.privacy_range)
            wanted = log_margin + self.privacy_wish
            clipped = np.minimum(np.maximum(wanted, low), high)
            slope += self.b * (clipped == wanted)
            clipped *= self.b
            counted += clipped
        return counted, slope

    def _epochs(self, margin: Floats) -> Floats:
        """k of a·pot·s(1 − s) = C^c·k, or with age: of C·d·k² − (C·A + m·d·(a + w))·k + m·a·A = 0, A = room."""
        if self.ageing is None:
            return np.clip(self.a * margin / self.compute, *self.epochs_range)
        exponent, d, room = self.ageing
        middle = self.compute * room + margin * d * (self.a + exponent)
        gained = self.a * margin * room
        root = np.sqrt(np.maximum(middle * middle - 4.0 * self.compute * d * gained, 0.0))
        return np.clip(2.0 * gained / (middle + root), *self.epochs_range)

    def _privacy(self, margin: Floats) -> Floats:
        """ε of b·pot·s(1 − s) = C^p·ε; privacy that costs nothing is given to the last, where it counts at all."""
        if self.b == 0.0:
            return np.full(len(self), self.privacy_range[0])
        with np.errstate(divide="ignore", invalid="ignore"):
            wanted = np.where(self.privacy > 0, self.b * margin / self.privacy, np.inf)
        return np.clip(wanted, *self.privacy_range)

    @cached_property
    def epochs_wish(self) -> Floats:
        """ln of the k that a margin s(1 − s) of 1 would make best, without its range and without age: (N,)."""
        with np.errstate(divide="ignore"):
            return np.log(self.a * self.pot) - np.log(self.compute)

    @cached_property
    def privacy_wish(self) -> Floats:
        """ln of the ε that a margin of 1 would make best, without its range: (N,)."""
        with np.errstate(divide="ignore"):
            return np.log(self.b * self.pot) - np.log(self.privacy)

    @cached_property
    def log_epochs_range(self) -> tuple[Floats, Floats]:
        """ln of the ends of k."""
        low, high = self.epochs_range
        return np.log(low), np.log(high)

    def _epochs_in_logarithms(self, log_margin: Floats) -> tuple[Floats, Floats]:
        """What k adds to ln c, and the slope of that in the logarithm of the margin."""
        if self.ageing is None:
            low, high = self.log_epochs_range
            wanted = log_margin + self.epochs_wish
            clipped = np.minimum(np.maximum(wanted, low), high)
            slope = self.a * (clipped == wanted)
            clipped *= self.a
            return clipped, slope
        epochs = self._epochs(self.pot * np.exp(log_margin))
        exponent, d, room = self.ageing
        left = room - d * epochs
        rise = self.a - exponent * d * epochs / left  # d ln c/d ln k
        inside = (epochs > self.epochs_range[0]) & (epochs < self.epochs_range[1]) & (rise > 0)
        bend = exponent * d * epochs * room / (left * left)
        slope = np.where(inside, rise * rise / np.where(inside, rise + bend, 1.0), 0.0)
        return self.a * np.log(epochs) + exponent * np.log(left), slope

    def _counted(self, epochs: Floats, log_epochs: Floats, log_privacy: Floats) -> Floats:
        counted: Floats = self.log_theta + self.a * log_epochs + self.b * log_privacy
        if self.ageing is not None:
            exponent, d, room = self.ageing
            counted += exponent * np.log(room - d * epochs)
        return counted


def log_sum(logarithms: Floats) -> float:
    """ln of the sum of what these are logarithms of."""
    most = logarithms.max()
    return float(most + np.log(np.exp(logarithms - most).sum()))
