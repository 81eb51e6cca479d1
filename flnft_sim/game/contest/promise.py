"""What a promise is, what of it was delivered, and what a delivery is worth to a provider."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats, plain
from flnft_sim.checks import not_negative, positive, within
from flnft_sim.errors import InputError
from flnft_sim.game.errors import ValuationError
from flnft_sim.game.rewards import elasticity_ratio

CAUTION = 2.0  # standard errors below the mean: noise alone then seldom falls short of a promise


def promised(deliveries: ArrayLike, *, caution: float = CAUTION) -> float:
    """What may be promised of a measure of quality or freshness, given n ≥ 2 deliveries of it at the promised effort.

    mean − 2·σ·√(1 + 1/n), σ being the deliveries' standard deviation: the standard error of one delivery to come. At
    least 0. A promise of the mean itself would be missed by noise every other time.
    """
    seen = not_negative("deliveries", deliveries)
    if seen.ndim != 1 or seen.size < 2:
        raise InputError(f"deliveries have shape {seen.shape}; give two or more numbers")
    error = float(np.std(seen, ddof=1)) * np.sqrt(1.0 + 1.0 / seen.size)
    return float(max(0.0, seen.mean() - float(not_negative("caution", caution)) * error))


def delivered_part(
    quality: ArrayLike, freshness: ArrayLike, *, promised_quality: ArrayLike, promised_freshness: ArrayLike
) -> Any:
    """δ = min(1, Q/Q̂)^½·min(1, F/F̂)^½ in [0, 1], what of a promise was delivered; arrays broadcast.

    Quality beyond its promise makes up for no freshness that is missing, nor the other way round.
    """
    parts = [
        np.minimum(1.0, not_negative(name, delivered) / positive(f"promised_{name}", wanted))
        for name, delivered, wanted in (
            ("quality", quality, promised_quality),
            ("freshness", freshness, promised_freshness),
        )
    ]
    return plain(np.sqrt(parts[0] * parts[1]))


def provider_values(
    valuations: ArrayLike,
    quality: ArrayLike,
    freshness: ArrayLike,
    *,
    quality_elasticity: ArrayLike,
    freshness_elasticity: ArrayLike,
    reference_quality: float,
    reference_freshness: float,
    most: float = np.inf,
) -> Floats:
    """v_j = V_j·min(v_max, (Q/Q_ref)^(e^Q)·(F/F_ref)^(e^F)), money, (M,): what a licence is worth to each provider.

    Q is a measure of quality and F = max(0, ln(T_ref/age)) of freshness, both clipped at 0; elasticities are one number
    or (M,), positive, and sum to 1. Increasing and concave in Q and F, and 0 without either; V_j is the value at
    Q_ref and F_ref, `most` is v_max.
    """
    elasticity_ratio(quality_elasticity, freshness_elasticity)  # refuses what does not sum to 1
    q = np.maximum(0.0, np.asarray(quality, dtype=float)) / positive("reference_quality", reference_quality)
    f = np.maximum(0.0, np.asarray(freshness, dtype=float)) / positive("reference_freshness", reference_freshness)
    worth = not_negative("valuations", valuations, "money", error=ValuationError)
    if not most > 0:
        within("most", most, above=0.0)
    relative = q ** np.asarray(quality_elasticity) * f ** np.asarray(freshness_elasticity)
    return np.atleast_1d(worth * np.minimum(most, relative))


def measured_freshness(age_s: ArrayLike, *, horizon_s: float) -> Any:
    """F = max(0, ln(T_ref/age)) of a delivered model, its age in seconds as the clock measured it."""
    horizon = positive("horizon_s", horizon_s, "s")
    return plain(np.maximum(0.0, np.log(horizon / np.maximum(not_negative("age_s", age_s, "s"), 1e-9))))
