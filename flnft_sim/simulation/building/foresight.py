"""Build what DAOs foresee of a minting before it begins: a surrogate learner, taken through all its rounds."""

import numpy as np

from flnft_sim.agents.dao.foresight import Foresight
from flnft_sim.learning import Learner, Noise, SurrogateLearner, load_curves
from flnft_sim.learning.curves import workloads
from flnft_sim.scenario import Scenario
from flnft_sim.streams import Streams


def foresee_minting(
    settings: Scenario, streams: Streams, dao: int, learner: Learner, epochs: float
) -> Foresight | None:
    """What the surrogate learner tells of a whole minting at `epochs` a round each; None without a fitted curve."""
    workload = f"{settings.learning.dataset}/{settings.learning.model}"
    if workload not in load_curves():
        return None
    surrogate = SurrogateLearner(
        load_curves()[workload],
        learner.model,
        learner.shard_sizes,
        batch_size=settings.learning.batch_size,
        noise=Noise(sensitivity=settings.learning.sensitivity, clip_l1=settings.learning.clip_l1),
        seed=streams.integer("history", dao),
    )
    everyone = np.arange(len(learner.shard_sizes))
    efforts = np.full(len(everyone), float(epochs)), np.full(len(everyone), settings.game.privacy_range[1])
    losses = np.zeros(len(everyone))
    for number in range(1, settings.learning.rounds + 1):
        updates = surrogate.train(number, everyone, *efforts)
        surrogate.aggregate(updates, np.ones(len(everyone), dtype=bool))
        losses += updates.losses
    missed = workloads()[workload]["error_held_out"] or workloads()[workload]["error_fitted"]
    return Foresight(
        mean_loss=losses / settings.learning.rounds,
        update_norm=updates.update_norms,
        accuracy=surrogate.evaluate()[0],
        accuracy_error=missed["accuracy_points_final"] / 100,
        loss_error=missed["loss_mean"],
    )
