"""A round's contributions, measured once its updates are aggregated: what is measured, and the time that it takes."""

from collections.abc import Generator
from functools import partial
from typing import Any

import numpy as np
import simpy

from flnft_sim.agents.dao.organisation import Organisation
from flnft_sim.agents.dao.round import Round
from flnft_sim.arrays import Bools, Floats
from flnft_sim.game.contribution import Arrivals
from flnft_sim.late import made
from flnft_sim.learning import Coalitions

Process = Generator[simpy.Event, Any, Any]

FORWARD_SHARE = 1 / 3  # a forward pass is a third of the forward and backward passes of training


def seen(dao: Organisation, held: Round) -> Coalitions | None:
    """Return what measures will see of the updates that arrived; to be asked for before they are aggregated."""
    if not dao.world.measures.sees_updates:
        return None
    return dao.learner.coalitions(held.updates, held.work.arrived)


def measure_round(dao: Organisation, held: Round, coalitions: Coalitions | None) -> None:
    """Measure what arrived and was aggregated, and reckon how long whoever scores the coalitions is at it.

    That is the member with the fastest device: a forward pass over the validation data for each coalition.
    """
    game, users = dao.world.settings.game, held.plan.users[held.work.arrived]
    nothing = np.empty((len(users), 0), np.float32)
    arrived = made(
        Arrivals,
        shard_sizes=dao.shard_sizes[users],
        losses=held.updates.losses[held.work.arrived],
        updates=nothing if coalitions is None else coalitions.updates,
        step=nothing[0] if coalitions is None else coalitions.step(dao.learner.weights()),
        worth=_unseen if coalitions is None else coalitions.worth,
        _find_rng=partial(dao.world.streams.generator, "contributions", dao.number, held.episode, held.number),
        mu0=game.mu0,
        mu1=game.mu1,
    )
    held.measured = dao.world.measures.take(arrived)
    if coalitions is not None:
        passes = coalitions.scored * coalitions.samples
        held.measuring_s = passes * FORWARD_SHARE * dao.cycles_per_sample / float(dao.members.cpu_hz.max())


def spend_measuring(dao: Organisation, held: Round) -> Process:
    """Let the time pass that measuring took: the model is aggregated already, and the next round waits."""
    if held.measuring_s > 0:
        with dao.doing("measuring", round=held.number, dao=dao.label):
            yield dao.world.env.timeout(held.measuring_s)


def _unseen(masks: Bools) -> Floats:
    raise AssertionError(f"{len(masks)} coalitions of updates that nobody sees: the scenario should have been refused")
