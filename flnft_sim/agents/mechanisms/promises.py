"""What DAOs of a category promise, and what of a promise a delivery keeps."""

from collections.abc import Sequence

import numpy as np

from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.promise import Measured, Promise
from flnft_sim.agents.world import World
from flnft_sim.game import quality_contribution
from flnft_sim.game.contest import measured_freshness
from flnft_sim.game.contest.promise import CAUTION

_LESS = 0.8  # of the promised epochs: over this stretch the elasticity of what is delivered is taken
_LEAST_ELASTICITY = 1e-3


def promised_epochs(world: World, category: int, categories: int) -> int:
    """k⁰ of a category: promises range evenly from the spread below the scenario's to the spread above it."""
    market = world.settings.market
    middle, spread = market.promised_epochs or world.settings.game.default_epochs, market.promise_spread
    return middle if categories < 2 else middle + round(spread * (2 * category / (categories - 1) - 1))


def promise_of(daos: Sequence[MuDao], epochs: int) -> Promise | None:
    """The promise that all these DAOs can make of `epochs` a round, the least of theirs; None for one worth nothing.

    Quality and freshness are the fitted curves' and the closed forms' less two standard errors. The clock's part is
    what an update takes where all members upload at once, and the wait for a public block.
    """
    expected = [_expected(dao, epochs) for dao in daos]
    reference = Measured(min(each.quality for each, _ in expected), min(each.freshness for each, _ in expected))
    cautious = Measured(min(each.quality for _, each in expected), min(each.freshness for _, each in expected))
    if min(cautious.quality, cautious.freshness) <= 0:
        return None
    less = [_expected(dao, _LESS * epochs)[1] for dao in daos]
    fallen = min(
        (min(1.0, short.quality / full.quality) * min(1.0, short.freshness / full.freshness)) ** 0.5
        for short, (_, full) in zip(less, expected, strict=True)
    )
    return Promise(
        epochs,
        cautious.quality,
        cautious.freshness,
        reference,
        max(_LEAST_ELASTICITY, float(np.log(fallen) / np.log(_LESS))),
        daos[0].world.settings.market.value_cap,
    )


def quality_of(dao: MuDao, accuracy: float, contributions: float) -> float:
    """Q by the scenario's measure: accuracy above chance as a part of what is possible, or Σθ^Q of a round."""
    if dao.world.settings.game.quality_measure == "paper":
        return contributions
    chance = 1.0 / dao.learner.model.classes
    return max(0.0, accuracy - chance) / (1.0 - chance)


def _expected(dao: MuDao, epochs: float) -> tuple[Measured, Measured]:
    """Quality and freshness of a minting at so many epochs a round: on average, and two standard errors below."""
    game, foreseen = dao.world.settings.game, dao.foresee(epochs)
    assert foreseen is not None  # a scenario of this mechanism has a curve
    losses = foreseen.mean_loss, foreseen.mean_loss + CAUTION * foreseen.loss_error
    sums = [float(np.sum(quality_contribution(dao.shard_sizes, loss, mu0=game.mu0, mu1=game.mu1))) for loss in losses]
    accuracies = foreseen.accuracy, foreseen.accuracy - CAUTION * foreseen.accuracy_error
    qualities = [quality_of(dao, *each) for each in zip(accuracies, sums, strict=True)]
    block_s = dao.world.public_chain.expected_block_s
    ages = (dao.round_s(epochs) + block_s * (1.0 + errors) for errors in (0.0, CAUTION))
    fresh = [float(measured_freshness(age, horizon_s=game.freshness_horizon_s)) for age in ages]
    return Measured(qualities[0], fresh[0]), Measured(qualities[1], fresh[1])
