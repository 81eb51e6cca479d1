"""What members do that do not do what they say: what they train, what they send, what they report."""

from dataclasses import replace

import numpy as np

from flnft_sim.agents.conduct import FREE_RIDER, LAZY, LIAR, POISONER
from flnft_sim.agents.dao.organisation import Organisation
from flnft_sim.agents.dao.round import Round
from flnft_sim.arrays import Bools, length
from flnft_sim.learning import LocalUpdates, Participation
from flnft_sim.learning.adversaries import Params, imitated, poisoned


def really(dao: Organisation, plan: Participation) -> Participation:
    """Return what is trained of what was claimed: one epoch by who is lazy, none by free riders, who reveal nothing."""
    conduct = dao.members.conduct[plan.users]
    rides = conduct == FREE_RIDER
    epochs = np.where(conduct == LAZY, np.minimum(plan.epochs, 1), plan.epochs)
    return Participation(plan.users, np.where(rides, 0, epochs), np.where(rides, 0.0, plan.privacy))


def bring_home(dao: Organisation, held: Round) -> LocalUpdates:
    """Train who trains, and return what each of the round's participants sends and reports."""
    plan, conduct = held.plan, dao.members.conduct[held.plan.users]
    rides, poisons, lies = conduct == FREE_RIDER, conduct == POISONER, conduct == LIAR
    works = ~rides
    updates = dao.learner.train(held.number, plan.users[works], plan.epochs[works], plan.privacy[works])
    if rides.any() or poisons.any():
        start = dao.learner.model.flatten(dao.learner.weights())
        if rides.any():
            updates = _with_riders(dao, held, updates, rides, start)
        if poisons.any():
            updates = _sending(updates, poisons, dao.world.settings.failures.poison_scale, start)
    if lies.any():
        told = np.where(lies, dao.world.settings.failures.lie_factor * updates.losses, updates.losses)
        updates = replace(updates, losses=told)
    return updates


def _with_riders(dao: Organisation, held: Round, trained: LocalUpdates, rides: Bools, start: Params) -> LocalUpdates:
    """Put free riders among those who trained: of the model's last step they know the length, of its loss the value."""
    before = dao.seen_start
    moved = 0.0 if before is None else length(start - before)
    rng = dao.world.streams.generator("free riding", dao.number, held.episode, held.number)
    dao.seen_start = start

    def among(values: np.ndarray, riders: np.ndarray | float) -> np.ndarray:
        everybody = np.empty((len(rides), *values.shape[1:]), values.dtype)
        everybody[~rides], everybody[rides] = values, riders
        return everybody

    return LocalUpdates(
        held.plan.users,
        among(trained.losses, dao.learner.evaluate()[1]),
        among(trained.gradient_norms, np.nan),
        among(trained.update_norms, moved),
        among(trained.params, imitated(start, moved, rng, int(rides.sum()))),
    )


def _sending(updates: LocalUpdates, poisons: Bools, scale: float, start: Params) -> LocalUpdates:
    params, norms = updates.params.copy(), np.where(poisons, abs(scale), 1.0) * updates.update_norms
    params[poisons] = poisoned(start, params[poisons], scale)
    return replace(updates, params=params, update_norms=norms)
