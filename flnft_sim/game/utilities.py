"""What users (Eq. 14) and providers (Eq. 16, corrected) make of an outcome."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from flnft_sim.arrays import Floats, plain
from flnft_sim.checks import not_negative, within
from flnft_sim.game.errors import FairnessError, ValuationError

type ProviderForm = Literal["printed", "money"]


def fairness_in_range(fairness: ArrayLike) -> Floats:
    """Return σ, refused outside the open interval (0, 1)."""
    return within("fairness", fairness, above=0.0, below=1.0, error=FairnessError)


def fair_benefit(effort: ArrayLike, *, fairness: ArrayLike) -> Any:
    """h(x) = x^(1−σ)/(1−σ): increasing and concave for σ in (0, 1)."""
    rest = 1.0 - fairness_in_range(fairness)
    return plain(not_negative("effort", effort) ** rest / rest)


def user_utility(
    reward: ArrayLike,
    epochs: ArrayLike,
    privacy: ArrayLike,
    compute_cost: ArrayLike,
    privacy_cost: ArrayLike,
    *,
    fairness: ArrayLike,
) -> Any:
    """Φ = δ·(h(k) + h(ε)) − (C^c·k + C^p·ε) in utility units (Eq. 14), costs in money; arrays broadcast.

    δ·h is not cash: see `cash_surplus`. Where providers want different FL-NFTs, sum over the providers' axis.
    """
    benefit = fair_benefit(epochs, fairness=fairness) + fair_benefit(privacy, fairness=fairness)
    return plain(not_negative("reward", reward) * benefit - effort_cost(epochs, privacy, compute_cost, privacy_cost))


def cash_surplus(
    reward: ArrayLike, epochs: ArrayLike, privacy: ArrayLike, compute_cost: ArrayLike, privacy_cost: ArrayLike
) -> Any:
    """δ − (C^c·k + C^p·ε) in money: negative at every unclipped optimum with k, ε ≥ 1, since δ·x^(−σ) = C there."""
    return plain(not_negative("reward", reward) - effort_cost(epochs, privacy, compute_cost, privacy_cost))


def effort_cost(epochs: ArrayLike, privacy: ArrayLike, compute_cost: ArrayLike, privacy_cost: ArrayLike) -> Any:
    """C = C^c·k + C^p·ε (Eq. 5), in money where the unit costs are."""
    compute = not_negative("compute_cost", compute_cost) * not_negative("epochs", epochs)
    return plain(compute + not_negative("privacy_cost", privacy_cost) * not_negative("privacy", privacy))


def winning_probability(price: ArrayLike, rivals: ArrayLike) -> Any:
    """w = q/(q + Δ), and 0 for a zero bid (also among zero bids)."""
    q = not_negative("price", price)
    total = q + not_negative("rivals", rivals)
    return plain(np.divide(q, total, out=np.zeros(np.shape(total)), where=total > 0))


def provider_utility(
    price: ArrayLike,
    rivals: ArrayLike,
    valuation: ArrayLike,
    satisfaction: ArrayLike,
    *,
    form: ProviderForm = "printed",
) -> Any:
    """Ψ(q) = w·(V − q) − q·s in money, w = q/(q + Δ), for one dimension; arrays broadcast.

    Win the access worth V with probability w, pay q when winning, and pay the users q·s (s is Q^λ or F). Its second
    derivative is −2Δ(Δ + V)/(q + Δ)³ < 0, so Eq. 29 (with V = 1) is its maximiser. Eq. 16 as printed, w·q − q·s, is
    convex in q (2Δ²/(q + Δ)³ > 0): its stationary point is a minimum.

    The V − q of it takes a price per unit of satisfaction from money, so that what is bid falls with the scale of the
    satisfaction. With the form `money` it is wV − q·s, Tullock's contest: what is bid, m = q·s, is paid in any case,
    and depends on no scale.
    """
    worth = not_negative("valuation", valuation, error=ValuationError)
    won = winning_probability(price, rivals) * (worth - (0.0 if form == "money" else np.asarray(price)))
    return plain(won - np.asarray(price) * not_negative("satisfaction", satisfaction))
