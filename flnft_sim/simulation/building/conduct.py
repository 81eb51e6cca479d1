"""Draw who does not do what it says, and deal out the data accordingly."""

from dataclasses import replace

import numpy as np

from flnft_sim.agents.conduct import ADVERSARIES, HONEST, LABEL_FLIPPER, SYBIL, Names, all_honest
from flnft_sim.arrays import Ints
from flnft_sim.learning import Dataset, partition
from flnft_sim.learning.adversaries import false_labels, split_names
from flnft_sim.scenario import Scenario
from flnft_sim.scenario.adversaries import KINDS
from flnft_sim.streams import Streams


def draw_conduct(settings: Scenario, streams: Streams) -> Names:
    """What each user does, (N,) names: honest, or an adversary's.

    Users are taken in a drawn order that does not depend on how many more there are. A user with several names is of
    the first DAO, and its further names are the last ones there: without them, everybody else is who it was.
    """
    users, failures = settings.population.users, settings.failures
    if not any(getattr(failures, kind) for kind in KINDS):
        return all_honest(users)
    conduct = all_honest(users).copy()
    members = np.arange(0, users, settings.population.daos)
    conduct[members[len(members) - max(0, failures.sybils - 1) :]] = SYBIL
    lots = streams.generator("conduct").random(users)
    order = [user for user in np.argsort(lots, kind="stable").tolist() if conduct[user] == HONEST]
    if failures.sybils:
        first = next(user for user in order if user % settings.population.daos == 0)
        order.remove(first)
        conduct[first] = SYBIL
    for kind, name in ADVERSARIES.items():
        count = getattr(failures, kind)
        conduct[order[:count]], order = name, order[count:]
    return conduct


def names_of_one(conduct: Names) -> Ints:
    """Whose names are one user's, among users of this conduct (N,): its own first, empty for nobody's."""
    return np.flatnonzero(conduct == SYBIL)


def deal(settings: Scenario, streams: Streams, dataset: Dataset, dao: int, users: int) -> tuple[Dataset, list[Ints]]:
    """Deal a data set out among a DAO's members: returns it as they hold it, and whose samples are whose.

    The parts of a user with several names are those of the one shard it would have under one.
    """
    kind = settings.learning.partition
    conduct = draw_conduct(settings, streams)[dao :: settings.population.daos]
    names = names_of_one(conduct)
    persons, rng = users - max(0, len(names) - 1), streams.generator("partition", dao)
    shards = partition(kind.kind, dataset.train_y, persons, rng=rng, **kind.told("kind"))
    if len(names):
        shards = split_names(shards, int(names[0]), len(names))
    flipped = [shards[user] for user in np.flatnonzero(conduct == LABEL_FLIPPER)]
    if flipped:
        share, rng = settings.failures.label_flip_share, streams.generator("false labels", dao)
        labels = false_labels(dataset.train_y, flipped, dataset.classes, share=share, rng=rng)
        dataset = replace(dataset, train_y=labels)
    return dataset, shards
