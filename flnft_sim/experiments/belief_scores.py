"""How good beliefs were: mean absolute error, log-loss, and the share of the oracle's utility they earn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.game.beliefs import BidBelief
from flnft_sim.game.beliefs.levels import Levels
from flnft_sim.game.density import Forecast, density, mean_bid
from flnft_sim.game.responses import provider_best_response, rival_sums
from flnft_sim.game.utilities import provider_utility

_ROUNDING = 1e-9  # money: a sum that is this much above a bin's upper edge is at the edge


@dataclass(frozen=True)
class BeliefScore:
    """Mean absolute error in money, mean log-loss in nats over `levels` bid levels, share of the oracle's utility."""

    mae_money: float
    log_loss: float
    oracle_share: float


def score_beliefs(
    kind: str,
    money: Floats,
    valuations: Floats,
    satisfaction: float,
    *,
    measured_from: int,
    options: dict[str, float] | None = None,
) -> BeliefScore:
    """Run a kind of belief over a history it does not influence: bids in money (T, M), valuations (T, M).

    Scores count auctions from `measured_from` on. `oracle_share` is what providers earn who best respond to the
    beliefs' means, each alone, as a share of what they earn when told their rivals' bids.
    """
    beliefs = [BidBelief(kind, **(options or {})) for _ in range(money.shape[1])]
    foretold = []
    for bids in money:
        for belief, bid in zip(beliefs, bids, strict=True):
            belief.reveal(bid)
        foretold.append([belief.parts() for belief in beliefs])
        for belief, bid in zip(beliefs, bids, strict=True):
            belief.observe(bid)
    late = slice(measured_from, None)
    means = mean_bids(foretold)
    earned = best_response_utility(means[late], money[late], valuations[late], satisfaction)
    possible = best_response_utility(money[late], money[late], valuations[late], satisfaction)
    return BeliefScore(
        mae_money=float(np.abs(means - money)[late].mean()),
        log_loss=log_loss(foretold, money, measured_from),
        oracle_share=float(earned.sum() / possible.sum()),
    )


def mean_bids(foretold: Sequence[Sequence[Forecast]]) -> Floats:
    """Expected bids (T, M) of forecasts, one a provider and auction."""
    return np.array([[mean_bid(forecast) for forecast in row] for row in foretold])


def best_response_utility(believed: Floats, money: Floats, valuations: Floats, satisfaction: float) -> Floats:
    """Utility (T, M) of each provider who alone best responds to believed bids (T, M) while the others bid `money`.

    Who expects no rival makes the smallest bid.
    """
    believed_rivals = np.array([rival_sums(bids) for bids in believed]) / satisfaction
    rivals = np.array([rival_sums(bids) for bids in money]) / satisfaction
    prices = provider_best_response(believed_rivals, valuations, satisfaction)
    smallest_bid = np.where(rivals > 0, 0.0, valuations)  # wins for nothing where really nobody else bids
    return np.where(believed_rivals > 0, provider_utility(prices, rivals, valuations, satisfaction), smallest_bid)


def log_loss(foretold: Sequence[Sequence[Forecast]], money: Floats, measured_from: int, *, levels: int = 6) -> float:
    """Mean of −ln(probability of the level the bid fell in), in nats; auctions before `measured_from` not counted.

    All kinds are asked about the same levels, the quantile bins of the t bids so far, and all forecasts become a
    `density` by the same rule. With m of it in the bin that came, of L, the probability is (t·m + 1)/(t + L): one bid
    is added to each level, so that no forecast is infinitely wrong.
    """
    losses = []
    for provider in range(money.shape[1]):
        bids, forecasts = money[:, provider], [row[provider] for row in foretold]
        for t in range(max(1, measured_from), len(bids)):
            bins = Levels.of(bids[:t], levels)
            points, weights = density(forecasts[t], forecasts[:t], bids[:t])
            mass = np.bincount(bins.indices(points - _ROUNDING), weights=weights, minlength=len(bins))
            probability = (t * mass + 1.0) / (t + len(bins))
            losses.append(-np.log(probability[bins.index(bids[t])]))
    return float(np.mean(losses))
