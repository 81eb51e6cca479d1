"""Noise on what users share (Eq. 4), and what it really guarantees."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from flnft_sim.arrays import Floats, length
from flnft_sim.checks import positive
from flnft_sim.errors import InputError
from flnft_sim.settings.learning import NoiseSettings

# Both resolutions round to the safe side, and keep a table of 100 different rounds at a fraction of a second a user.
PLD_POINTS = 10_000  # of the composed privacy-loss distribution
EPSILON_GRID = 1.01  # budgets are rounded up to its powers before they are composed


class PrivacyError(InputError):
    """A privacy setting that means nothing."""


@dataclass(frozen=True, kw_only=True)
class Noise(NoiseSettings):
    """What users add to what they share (Eq. 4): to their whole `update`, to each `step`'s gradient, or to `none`.

    Laplace noise of scale Δf/ε: Δf is `sensitivity`, or 2C where what is noised is clipped to L1 norm C = `clip_l1`.
    """

    def scales(self, epsilons: np.ndarray) -> Floats:
        """Return the scales (n,) for budgets ε (n,)."""
        return noise_scales(epsilons, sensitivity=self.sensitivity, clip_l1=self.clip_l1)


def noise_scales(epsilons: np.ndarray, *, sensitivity: float, clip_l1: float | None) -> np.ndarray:
    """Return the Laplace scales Δf/ε_i (n,); ε = ∞ means none. With clipping to L1 norm C, Δf = 2C.

    Two clipped updates, of whatever shards, are at most 2C apart in L1 norm.
    """
    epsilons = np.asarray(epsilons, float)
    if len(epsilons) and not (epsilons > 0).all():
        raise PrivacyError(f"privacy budget ε = {epsilons[~(epsilons > 0)][0]} must be positive")
    if clip_l1 is not None:
        positive("clip_l1", clip_l1, error=PrivacyError)
    positive("sensitivity", sensitivity, error=PrivacyError)
    return (2 * clip_l1 if clip_l1 is not None else sensitivity) / epsilons


def clip_to_l1(update: np.ndarray, bound: float) -> np.ndarray:
    """Scale an update (P,) down to L1 norm `bound`, unless it is within it already."""
    norm = np.abs(update, dtype=np.float64).sum()
    return update if norm <= bound else update * np.float32(bound / norm)


def laplace_noise(rng: np.random.Generator, scale: float, size: int) -> np.ndarray:
    """Draw Lap(0, scale) (size,) float32 as the difference of two exponentials: faster than inverting the CDF."""
    noise = rng.standard_exponential(size, dtype=np.float32)
    noise -= rng.standard_exponential(size, dtype=np.float32)
    noise *= np.float32(scale)
    return noise


def gaussian_noise(rng: np.random.Generator, deviation: float, size: int) -> np.ndarray:
    """Draw N(0, deviation²) (size,) float32 in pairs of polar coordinates (Box & Muller 1958).

    Twice as fast as one by one; the radius is the root of an exponential variate, whose tail no uniform number cuts.
    """
    half = -(-size // 2)
    radius = rng.standard_exponential(half, dtype=np.float32)
    angle = rng.random(half, dtype=np.float32)
    angle *= np.float32(2 * np.pi)
    np.sqrt(radius, out=radius)
    radius *= np.float32(deviation * np.sqrt(2.0))
    noise = np.empty((2, half), np.float32)
    np.cos(angle, out=noise[0])
    np.sin(angle, out=noise[1])
    noise *= radius
    return noise.reshape(-1)[:size]


def perturb_updates(
    start: np.ndarray,
    params: np.ndarray,
    users: np.ndarray,
    scales: np.ndarray,
    *,
    clip_l1: float | None,
    seed: int,
) -> np.ndarray:
    """Clip and noise the updates of n users *in place* in `params` (n, P); return the noised updates' L2 norms (n,).

    A user's noise depends on the seed and its number alone.
    """
    norms = np.empty(len(users))
    for i, (user, scale) in enumerate(zip(users, scales, strict=True)):
        update = params[i] - start
        if clip_l1 is not None:
            update = clip_to_l1(update, clip_l1)
        if scale > 0:
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(int(user),)))
            update += laplace_noise(rng, float(scale), len(update))
        params[i] = start + update
        norms[i] = length(update)
    return norms


@dataclass
class PrivacyLedger:
    """What each user has released over a run: feed it every round, ask it for the table.

    `clip_l1` None means that no guarantee holds, whatever ε was asked for.
    """

    clip_l1: float | None
    delta: float = 1e-5
    _releases: dict[int, list[tuple[float, int]]] = field(default_factory=dict)  # user → (ε, releases) per round
    _scales: dict[int, list[float]] = field(default_factory=dict)

    def record(
        self, users: np.ndarray, epsilons: np.ndarray, scales: np.ndarray, releases: np.ndarray | int = 1
    ) -> None:
        """Note one round: budgets ε and noise scales (n,) of what was released, and how many times (steps)."""
        counts = np.broadcast_to(releases, users.shape)
        for user, epsilon, scale, count in zip(users, epsilons, scales, counts, strict=True):
            self._releases.setdefault(int(user), []).append((float(epsilon), int(count)))
            self._scales.setdefault(int(user), []).append(float(scale))

    def table(self) -> pd.DataFrame:
        """Return one row a user: rounds, noise scales, and the guarantees that hold (NaN where none does).

        `epsilon_round` is the largest over the rounds, for replacing the user's whole shard (local model);
        `epsilon_total_basic` their sum; `epsilon_total_tight` the ε of the composed privacy-loss distribution at δ
        (Google's dp-accounting), never above the sum.
        """
        rows = [self._row(user) for user in sorted(self._releases)]
        return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)

    def _row(self, user: int) -> tuple[object, ...]:
        scales, releases = self._scales[user], self._releases[user]
        noised = min(scales) > 0 and all(np.isfinite(epsilon) for epsilon, _ in releases)
        if self.clip_l1 is None or not noised:
            reason = "none: updates are not clipped" if noised else "none: some release had no noise"
            return user, len(releases), min(scales), max(scales), np.nan, np.nan, np.nan, np.nan, reason
        per_round = max(epsilon * count for epsilon, count in releases)
        basic = sum(epsilon * count for epsilon, count in releases)
        tight = min(basic, composed_epsilon(releases, self.delta))
        return (user, len(releases), min(scales), max(scales), per_round, basic, tight, self.delta, "ε-DP a round")


_COLUMNS = {
    "user": "int64",
    "rounds": "int64",
    "noise_scale_min": "float64",
    "noise_scale_max": "float64",
    "epsilon_round": "float64",
    "epsilon_total_basic": "float64",
    "epsilon_total_tight": "float64",
    "delta": "float64",
    "guarantee": "object",
}


def composed_epsilon(releases: list[tuple[float, int]], delta: float) -> float:
    """Return ε at δ of many Laplace mechanisms, `releases` being pairs (ε of one, how many such), by dp-accounting."""
    from dp_accounting.pld import privacy_loss_distribution as pld

    counts: dict[float, int] = {}
    for epsilon, count in releases:
        key = EPSILON_GRID ** float(np.ceil(np.log(epsilon) / np.log(EPSILON_GRID)))
        counts[key] = counts.get(key, 0) + count
    interval = sum(epsilon * count for epsilon, count in counts.items()) / PLD_POINTS
    total = None
    for epsilon, count in sorted(counts.items()):
        part = pld.from_laplace_mechanism(1 / epsilon, value_discretization_interval=interval).self_compose(count)
        total = part if total is None else total.compose(part)
    return float(total.get_epsilon_for_delta(delta)) if total is not None else 0.0
