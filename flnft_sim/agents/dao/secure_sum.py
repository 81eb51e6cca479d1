"""A round whose updates nobody sees but as their sum: the protocol's four rounds of messages on the clock.

Two come before training (keys, then shares of secrets), the masked updates are the third, and the fourth takes off what
does not cancel because somebody was late or dropped out. Each ends with its slowest and takes a round trip.
"""

from collections.abc import Generator
from typing import Any

import numpy as np
import simpy

from flnft_sim.agents.dao.members import Individuals
from flnft_sim.agents.dao.organisation import Organisation
from flnft_sim.agents.dao.round import Round
from flnft_sim.arrays import Floats, Ints
from flnft_sim.clock.work import Work
from flnft_sim.network import SecureSum
from flnft_sim.results.outcome import Outcome

Process = Generator[simpy.Event, Any, Any]


def sum_securely(dao: Organisation, members: Individuals, held: Round, train_s: Floats, draws: Floats) -> Process:
    """Let a round's participants train and add up their updates under masks; returns their `Work`.

    Where fewer deliver than the noise shares were sized for (all but `colluders`), nothing is unmasked: the sum would
    have too little noise. The masks of who did not deliver are taken off by the fastest member's device.
    """
    env, users, privacy = dao.world.env, held.plan.users, dao.world.settings.learning.privacy
    costs = SecureSum(len(users), dao.learner.model.parameter_count, privacy.value_bits)
    cpu_hz = members.cpu_hz[users]
    keys_s = yield from _exchange(dao, members, held, users, np.zeros(len(users)), costs.key_bits)
    shares_s = yield from _exchange(dao, members, held, users, costs.agreement_cycles / cpu_hz, costs.share_bits)
    held.mask_s = costs.masking_cycles / cpu_hz
    work: Work = yield from members.work(held, train_s, costs.masked_bits, draws)
    delivered = users[work.arrived]
    work.masking_s += keys_s + shares_s + np.where(work.arrived, held.mask_s, 0.0)
    if len(delivered) < len(users) - privacy.colluders:
        return _aborted(work)
    summed_s = env.now
    told_s = np.full(len(delivered), privacy.round_trip_s)  # until they know who has delivered
    yield from _exchange(dao, members, held, delivered, told_s, costs.reveal_bits)
    with dao.doing("masking", round=held.number, dao=dao.label):
        yield env.timeout(costs.unmasking_cycles(len(delivered)) / float(members.cpu_hz.max()))
    work.masking_s[work.arrived] += env.now - summed_s
    work.final_s[work.arrived] = env.now
    return work


def _exchange(
    dao: Organisation, members: Individuals, held: Round, users: Ints, compute_s: Floats, bits: int
) -> Process:
    """One round of messages: all compute, send, and are answered; returns the seconds until the slowest is."""
    env, round_trip_s = dao.world.env, dao.world.settings.learning.privacy.round_trip_s
    started_s, labels = env.now, {"round": held.number, "dao": held.label}
    yield env.all_of(
        [
            env.process(members.users[user].mask(seconds, labels, sends_bits=bits, answer_s=round_trip_s))
            for user, seconds in zip(users.tolist(), compute_s.tolist(), strict=True)
        ]
    )
    return env.now - started_s


def _aborted(work: Work) -> Work:
    """The round's end where too few have delivered: nobody's update counts."""
    work.outcomes[work.arrived] = Outcome.ABORTED
    work.final_s[:] = np.nan
    return work
