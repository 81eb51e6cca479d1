"""Who says how good a delivered model is: nobody who gains by it decides."""

import numpy as np

from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.mechanisms.promises import quality_of
from flnft_sim.agents.mechanisms.sale import Report

VALIDATORS = 7  # of the public chain, who recompute the evaluation
_MOST = 7  # replicas of the DAO that report


def true_quality(dao: MuDao) -> float:
    """Q of the weights as they were minted: evaluation is deterministic, so everybody who is honest finds the same."""
    rounds = dao.world.settings.learning.rounds
    return quality_of(dao, dao.learner.evaluate()[0], float(dao.deliveries.quality.sum()) / rounds)


def evaluated(
    dao: MuDao, winners: int, quality: float, test_sets: int, rng: np.random.Generator
) -> tuple[Report, dict[str, list[float]]]:
    """The median of all reports, and what validators, replicas and winners said.

    A replica that lies says the most, a winner that lies says nothing at all; validators have no part in the sale.
    """
    share, replicas = dao.world.settings.failures.lying_evaluators, min(len(dao.members), _MOST)
    most = max(1.0, 2.0 * quality)
    lies = rng.random(replicas) < share, rng.random(winners) < share
    said = {
        "validators": [quality] * VALIDATORS,
        "replicas": np.where(lies[0], most, quality).tolist(),
        "winners": np.where(lies[1], 0.0, quality).tolist(),
    }
    reports = [report for each in said.values() for report in each]
    median = float(np.median(reports))
    return Report(median, len(reports), int(lies[0].sum() + lies[1].sum()), test_sets), said
