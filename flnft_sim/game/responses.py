"""Best responses: of a user to a reward (Stage II), of a provider to its rivals' prices (Stage I)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats, plain
from flnft_sim.checks import not_negative, positive, within
from flnft_sim.game.errors import ValuationError
from flnft_sim.game.utilities import ProviderForm, fairness_in_range

MOST_EPOCHS = 2.0**53  # integers above are not exact in floating point
BISECTIONS = 60  # halvings of log(1 + ν): as fine as a double can tell apart


def user_best_response(
    reward: ArrayLike,
    compute_cost: ArrayLike,
    privacy_cost: ArrayLike,
    *,
    fairness: ArrayLike,
    epochs_max: ArrayLike,
    privacy_range: tuple[float, float] = (1.0, 5.0),
) -> tuple[Any, Any]:
    """Epochs and ε asked for (k*, ε*) that maximise Φ (Eq. 22 and 23); arrays broadcast, costs are in money.

    δ·x^(−σ) = C gives x* = (δ/C)^(1/σ), for k with C^c and for ε with C^p; Eq. 22 prints a minus sign and the inverse
    ratio. k* is the better of the two integers around x* (the smaller of equals), within [1, epochs_max]; ε* is
    clipped to `privacy_range`. With neither reward nor cost every answer is equal and the lowest one is given.

    The best k ≥ 1 is returned also where Φ is negative or `epochs_max` below 1: whether to take part is the caller's
    decision. A reward of shape (N, M) gives each user's answer to each provider's own FL-NFT, since Φ is a sum over
    providers.
    """
    unrounded = unrounded_answer(reward, compute_cost, fairness=fairness)
    epochs = rounded_epochs(unrounded, reward, compute_cost, fairness=fairness, epochs_max=epochs_max)
    return epochs, clipped_privacy(reward, privacy_cost, fairness=fairness, privacy_range=privacy_range)


def unrounded_answer(reward: ArrayLike, unit_cost: ArrayLike, *, fairness: ArrayLike) -> Any:
    """x* = (δ/C)^(1/σ), where marginal benefit δ·x^(−σ) and cost C meet (Eq. 22 corrected); arrays broadcast.

    0 without a reward, infinite for a reward at no cost.
    """
    sigma = plain(fairness_in_range(fairness))
    delta, cost = np.broadcast_arrays(not_negative("reward", reward), not_negative("unit_cost", unit_cost))
    return plain(unchecked_answer(delta, cost, sigma))


def unchecked_answer(delta: Floats, cost: Floats, sigma: float) -> Floats:
    """`unrounded_answer` for who has checked its numbers already, where costs broadcast to the shape of rewards."""
    costly = cost > 0
    if np.all(costly):
        ratio = np.asarray(delta / cost)
    else:
        ratio = np.divide(delta, cost, out=np.where(delta > 0, np.inf, 0.0), where=costly)
    with np.errstate(over="ignore"):  # beyond the largest double is beyond every clip
        unrounded: Floats = ratio ** (1.0 / sigma)
    return unrounded


def rounded_epochs(
    unrounded: ArrayLike,
    reward: ArrayLike,
    compute_cost: ArrayLike,
    *,
    fairness: ArrayLike,
    epochs_max: ArrayLike,
) -> Any:
    """The better integer beside x*, the smaller of equals, within [1, max(1, epochs_max)] (Eq. 23, which floors)."""
    rest = 1.0 - plain(fairness_in_range(fairness))
    most = np.maximum(1.0, np.floor(within("epochs_max", epochs_max, at_least=0.0, at_most=MOST_EPOCHS)))
    below = np.clip(np.floor(unrounded), 1.0, most)
    above = np.minimum(below + 1.0, most)
    gain = np.asarray(reward) * (above**rest - below**rest) / rest - np.asarray(compute_cost) * (above - below)
    return plain(np.where(gain > 0, above, below).astype(np.int64))


def clipped_privacy(
    reward: ArrayLike, privacy_cost: ArrayLike, *, fairness: ArrayLike, privacy_range: tuple[float, float]
) -> Any:
    """ε* of Eq. 22 within `privacy_range`: Φ is concave in ε, so the nearest end is best outside of it."""
    low, high = positive("privacy_range", privacy_range)
    within("privacy_range[0]", low, at_least=0.0, at_most=float(high))
    return plain(np.clip(unrounded_answer(reward, privacy_cost, fairness=fairness), low, high))


def provider_best_response(
    rivals: ArrayLike, valuation: ArrayLike, satisfaction: ArrayLike, *, form: ProviderForm = "printed"
) -> Any:
    """q* = max(0, √((Δ² + V·Δ)/(s + 1)) − Δ), the maximiser of `provider_utility` (Eq. 29); arrays broadcast.

    With the form `money` it is max(0, √(V·Δ/s) − Δ), so that the money m = q·s is √(V·Δ_m) − Δ_m whatever s is; 0
    where s is 0 and nothing is traded.

    Δ is the sum of the other providers' prices, V the valuation in money, s the satisfaction (Q^λ or F). At Δ = 0
    there is no maximiser (any tiny bid wins) and 0 is returned: the caller bids the reserve.
    """
    delta = not_negative("rivals", rivals)
    worth = not_negative("valuation", valuation, error=ValuationError)
    return plain(_best_bid(delta, worth, not_negative("satisfaction", satisfaction), form))


def _best_bid(delta: Floats, worth: Floats, s: Floats, form: ProviderForm) -> Floats:
    # √r − Δ = (r − Δ²)/(√r + Δ), whose numerator is Δ(V − sΔ)/(s + 1), or /s: no cancellation
    numerator = delta * (worth - s * delta)
    if form == "money":
        denominator = np.sqrt(s) * (np.sqrt(delta * worth) + np.sqrt(s) * delta)
    else:
        denominator = (s + 1.0) * (np.sqrt(delta * (delta + worth) / (s + 1.0)) + delta)
    bid = np.divide(numerator, denominator, out=np.zeros(np.shape(numerator)), where=denominator > 0)
    return np.maximum(0.0, bid)


def rival_sums(bids: ArrayLike) -> Floats:
    """Each provider's Δ, the sum of all others' bids, over the last axis: exact zeros for a lone bidder (Eq. 30)."""
    amounts = not_negative("bids", bids)
    before, after = np.zeros_like(amounts), np.zeros_like(amounts)
    np.cumsum(amounts[..., :-1], axis=-1, out=before[..., 1:])
    np.cumsum(amounts[..., :0:-1], axis=-1, out=after[..., -2::-1])
    return before + after


def budgeted_best_response(
    rivals_quality: ArrayLike,
    rivals_freshness: ArrayLike,
    valuation_quality: ArrayLike,
    valuation_freshness: ArrayLike,
    satisfaction_quality: ArrayLike,
    satisfaction_freshness: ArrayLike,
    budget: ArrayLike,
    *,
    form: ProviderForm = "printed",
) -> tuple[Floats, Floats]:
    """Both prices (q, f) of each provider under q·Q^λ + f·F ≤ B (Eq. 17 in money); arrays over providers.

    Where the budget binds, one multiplier ν ≥ 0 on both payments: q(ν) is the best response at satisfaction
    (1 + ν)·Q^λ, likewise f(ν). What is spent falls with ν, so ν is found by bisection; the feasible end is returned.
    """
    arrays = np.broadcast_arrays(
        np.atleast_1d(not_negative("rivals_quality", rivals_quality)),
        not_negative("rivals_freshness", rivals_freshness),
        not_negative("valuation_quality", valuation_quality, error=ValuationError),
        not_negative("valuation_freshness", valuation_freshness, error=ValuationError),
        not_negative("satisfaction_quality", satisfaction_quality),
        not_negative("satisfaction_freshness", satisfaction_freshness),
        not_negative("budget", budget),
    )
    sat_q, sat_f, purse = arrays[4:]
    q, f = _priced(1.0, *arrays[:6], form=form)
    bound = np.flatnonzero(q * sat_q + f * sat_f > purse)
    if bound.size:
        q[bound], f[bound] = _within_budget(*(array[bound] for array in arrays), form=form)
    return q, f


def _priced(
    weight: Floats | float,
    delta_q: Floats,
    delta_f: Floats,
    worth_q: Floats,
    worth_f: Floats,
    sat_q: Floats,
    sat_f: Floats,
    *,
    form: ProviderForm,
) -> tuple[Floats, Floats]:
    """(q(ν), f(ν)) with weight = 1 + ν."""
    return _best_bid(delta_q, worth_q, weight * sat_q, form), _best_bid(delta_f, worth_f, weight * sat_f, form)


def _within_budget(*arrays: Floats, form: ProviderForm) -> tuple[Floats, Floats]:
    """Bisection on log(1 + ν) for providers whose budget binds."""
    delta_q, delta_f, worth_q, worth_f, sat_q, sat_f, purse = arrays
    lower = np.zeros_like(purse)
    upper = np.log(np.maximum(_silencing_weight(delta_q, worth_q, sat_q), _silencing_weight(delta_f, worth_f, sat_f)))
    for _ in range(BISECTIONS):
        middle = (lower + upper) / 2.0
        q, f = _priced(np.exp(middle), *arrays[:6], form=form)
        over = q * sat_q + f * sat_f > purse
        lower, upper = np.where(over, middle, lower), np.where(over, upper, middle)
    return _priced(np.exp(upper), *arrays[:6], form=form)


def _silencing_weight(delta: Floats, worth: Floats, sat: Floats) -> Floats:
    """The 1 + ν from which on the bid is 0: V/(s·Δ), at least 1 (also where nothing is spent anyway)."""
    spent = sat * delta
    return np.maximum(1.0, np.divide(worth, spent, out=np.ones_like(spent), where=spent > 0)) * (1.0 + 1e-12)
