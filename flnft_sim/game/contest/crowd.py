"""The contest of a crowd: who stays, and near which shares, where one user after another would take too long.

Each user loses money where X = Σc is above its break-even total T_i. The shares of those with T_i ≥ X sum to less the
larger X is, so the X at which they sum to 1 is bracketed: first for a sample of the crowd, then by a few evaluations of
all of it. Of who breaks even within the bracket that is left, as many stay as there is room for.
"""

import numpy as np

from flnft_sim.arrays import Bools, Floats, Ints
from flnft_sim.game.contest.breaking_even import break_even_shares
from flnft_sim.game.contest.efforts import Game
from flnft_sim.game.contest.shares import Within, shares_at

BLOCK = 1 << 14  # users at a time, whose arrays stay in the cache
_SAMPLE = 1 << 13
_HALVINGS = 60
_STEPS = 40  # of Newton's method
_SETTLED = 1e-13  # of an equation in logarithms, and of the sum of shares
_NEAR = 1e-5  # of ln s: a Newton step this small leaves an error of about its square
_DOUBTFUL = 5_000  # users that are told apart by their break-even totals, once the bracket is narrow
_NARROW = 1e-3  # of X: within it a sum of shares is as good as straight
_TIE = 1e-12  # of ln X: break-even totals that are one
_BEYOND = 1.1  # times a secant's step, so that the root comes to lie between two places
_LEAST, _MOST = -700.0, -1e-15  # ln s


class Crowd:
    """A game of many users by blocks, with the shares last looked at, from which the next are found quickly."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self.log_shares, self.log_total = np.full(len(game), np.nan), np.nan
        self._parts = [slice(start, start + BLOCK) for start in range(0, len(game), BLOCK)]
        self._blocks = [_Block(game.of(part)) for part in self._parts]

    def shares(self, log_total: float) -> Floats:
        """Each user's best share (N,) where all scores sum to X."""
        if log_total == self.log_total:
            return np.exp(self.log_shares)
        share = np.empty(len(self.game))
        for part, block in zip(self._parts, self._blocks, strict=True):
            self.log_shares[part] = block.log_shares(log_total, self.log_shares[part])
            np.exp(self.log_shares[part], out=share[part])
        self.log_total = log_total
        return share

    def among(self, stays: Bools) -> "Crowd":
        """Those who stay alone, with the shares last looked at."""
        fewer = Crowd(self.game.of(stays))
        fewer.log_shares, fewer.log_total = self.log_shares[stays], self.log_total
        return fewer

    def settled(self) -> Floats | None:
        """The shares (N,) at which every user's score is its best, near the last ones; None where none are found.

        Newton's method on all equations and Σ s = 1 at once, in ln s and ln X: the matrix is an arrow.
        """
        share, lag, reach = (np.empty(len(self.game)) for _ in range(3))
        for _ in range(_STEPS):
            furthest = weighted = total = pull = 0.0
            for part, block in zip(self._parts, self._blocks, strict=True):
                part_share, excess, slope = block.equations(self.log_shares[part], self.log_total)
                furthest = max(furthest, float(excess.max()), -float(excess.min()))
                share[part], lag[part], reach[part] = part_share, excess / slope, 1.0 / slope
                total += float(part_share.sum())
                weighted += float(part_share @ lag[part])
                pull += float(part_share @ reach[part])
            if max(furthest, abs(1.0 - total)) <= _SETTLED:
                return share
            step = (1.0 - total + weighted) / pull
            self.log_total += step
            for part in self._parts:
                moved = self.log_shares[part] + step * reach[part] - lag[part]
                self.log_shares[part] = np.minimum(moved, _MOST)
        return None


class _Block:
    """Some users and their equations in ln s."""

    def __init__(self, game: Game) -> None:
        self.game = game

    def log_shares(self, log_total: float, start: Floats) -> Floats:
        """ln s of ln c(s) = ln X + ln s, from a start or, where it is NaN, from shares so small that 1 − s is 1."""
        y = start
        if np.isnan(y[0]):
            y = np.full(len(self.game), -np.log(1e4))
            for _ in range(4):
                excess, slope = self._excess(y, y, log_total)
                y = np.clip(y - excess / np.minimum(slope, -1e-3), _LEAST, -1e-9)
        for _ in range(_STEPS):
            share, excess, slope = self.equations(y, log_total)
            step = -excess / slope
            furthest = max(float(step.max()), -float(step.min()))
            y = np.minimum(y + step if furthest < 0.05 else _moved(y, share, step), _MOST)
            if furthest <= _NEAR:
                return y
        return self._slowly(log_total)

    def equations(self, y: Floats, log_total: float) -> tuple[Floats, Floats, Floats]:
        """s, ln c − ln s − ln X, and the slope of that in ln s."""
        share = np.exp(y)
        excess, slope = self._excess(y, y + np.log1p(-share), log_total)
        slope = (slope + 1.0) * (1.0 - share / (1.0 - share)) - 1.0
        return share, excess, np.minimum(slope, -1e-300)

    def _excess(self, y: Floats, log_margin: Floats, log_total: float) -> tuple[Floats, Floats]:
        """ln c − ln s − ln X and its slope in the logarithm of the margin, less 1."""
        excess, slope = self.game.counted_efforts(log_margin)
        excess += self.game.log_theta
        excess -= y
        excess -= log_total
        slope -= 1.0
        return excess, slope

    def _slowly(self, log_total: float) -> Floats:
        return np.log(np.maximum(shares_at(Within(self.game), log_total), 1e-300))


def _moved(y: Floats, share: Floats, step: Floats) -> Floats:
    """ln s after a Newton step: down in ln s, by 4 at most; up in s, as a + b near 1 is flat in ln s."""
    up = np.log1p(np.minimum(np.maximum(step, 0.0), 0.5 * (1.0 - share) / share))
    return np.maximum(np.where(step > 0.0, y + up, y + np.maximum(step, -4.0)), _LEAST)


def who_stays(crowd: Crowd, log_break_even: Floats, precedence: Ints) -> Bools:
    """Who does not lose at the X that those who stay make together, (N,); who takes precedence leaves first.

    For nobody where fewer than two could.
    """
    even = log_break_even
    place, slope = _sampled(crowd.game, even)
    low, high, before, count = -np.inf, np.inf, None, len(even)
    for _ in range(_HALVINGS):
        excess = float(crowd.shares(place)[even >= place].sum()) - 1.0
        low, high = (place, high) if excess > 0.0 else (low, place)
        doubtful = np.flatnonzero((even >= low) & (even < high))
        if high - low <= _NARROW and doubtful.size <= _DOUBTFUL:
            break
        known = np.isfinite(high - low)
        if known and doubtful.size and np.ptp(even[doubtful]) <= _TIE * max(1.0, abs(high)):
            break
        if before is not None and (excess - before[1]) * (place - before[0]) < 0.0:
            slope = (excess - before[1]) / (place - before[0])
        before = place, excess
        target = place - _BEYOND * excess / slope
        if known and (doubtful.size > 0.25 * count or not low < target < high):
            target = float(np.median(even[doubtful]))
            target = target if low < target < high else 0.5 * (low + high)
        place, count = target, doubtful.size
    return _with_room(crowd, even, precedence, low, high)


def _with_room(crowd: Crowd, even: Floats, precedence: Ints, low: float, high: float) -> Bools:
    """Who stays for sure, and of the doubtful those who break even at the largest X, while shares sum to 1 at most.

    Within so narrow a bracket the sum of the others' shares is straight in ln X.
    """
    stays = even >= high
    doubtful = np.flatnonzero((even >= low) & ~stays)
    if not doubtful.size:
        return stays
    if high - low > _NARROW:  # equal ones
        low = high = float(even[doubtful].min())
        doubtful = doubtful[np.argsort(-precedence[doubtful])]
    else:
        doubtful = doubtful[np.lexsort((-precedence[doubtful], -even[doubtful]))]
    order = (low, high) if crowd.log_total == low else (high, low)  # the last one looked at first
    sums = {x: float(crowd.shares(x)[stays].sum()) for x in order}
    others = sums[low] + (sums[high] - sums[low]) * (even[doubtful] - low) / max(high - low, _TIE)
    own = np.cumsum(break_even_shares(crowd.game.of(doubtful)))
    fits = np.logical_and.accumulate(others + own <= 1.0 + _TIE)
    stays[doubtful[fits]] = True
    return stays


def _sampled(game: Game, even: Floats) -> tuple[float, float]:
    """About where a crowd's shares sum to 1, and the slope of their sum there, from every so many-th user."""
    stride = max(1, len(game) // _SAMPLE)
    sample, even = Crowd(game.of(slice(None, None, stride))), even[::stride]

    def total(log_total: float) -> float:
        return stride * float(sample.shares(log_total)[even >= log_total].sum())

    low, high = (end + np.log(len(game) / len(even)) for end in sample.game.log_limits())
    low, high = low - np.log(len(game)) - 1.0, high + 1.0
    while high - low > _NARROW:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if total(middle) > 1.0 else (low, middle)
    middle, step = 0.5 * (low + high), 0.03
    return middle, min(-0.1, (total(middle + step) - total(middle - step)) / (2.0 * step))
