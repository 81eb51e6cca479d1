"""The rows an FL round leaves in the tables `rounds` and `users`."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from flnft_sim.agents.dao.organisation import Organisation
from flnft_sim.agents.dao.round import Round
from flnft_sim.arrays import Bools, Floats
from flnft_sim.game.contribution import facts_of
from flnft_sim.results.outcome import OUTCOME_TYPE, Outcome
from flnft_sim.results.tables import NAN, RoundRow


def record_round(dao: Organisation, held: Round, shares: Floats) -> None:
    """Write the round's row and its members' rows, and tell whoever shows progress.

    `shares` (N,) of what the minting earns are by what was delivered so far.
    """
    world, now_s = dao.world, dao.world.env.now
    decision, work = held.decision, held.work
    row = RoundRow(
        dao=dao.name,
        episode=held.episode,
        round=held.number,
        start_s=held.started_s,
        end_s=now_s,
        decision_s=decision.seconds,
        participants=len(held.plan.users),
        stayed_out=len(dao.members) - len(held.plan.users),
        late_dropped=work.count(Outcome.LATE),
        dropped_out=work.count(Outcome.DROPPED_OUT),
        stalled=work.count(Outcome.STALLED),
        aborted=work.count(Outcome.ABORTED),
        delivered=work.count(Outcome.FINAL),
        accuracy=held.accuracy,
        loss=held.loss,
        aoi_mean_s=dao.age.mean(now_s, since_s=held.started_s),
        reward_announced_money=float(decision.rewards.sum()),
        **decision.told(),
    )
    columns = _columns(dao, held, shares)
    dao.members.record({"dao": dao.name, "episode": held.episode, "round": held.number} | columns)
    if dao.members.users:
        dao.costs_money += columns["cost_round_money"].tolist()
    world.records.contributions += _contributions(dao, held, shares)
    world.spans.counter(dao.name, "accuracy", now_s, held.accuracy)
    world.spans.counter(dao.name, "age_of_information_s", now_s, dao.age.age(now_s))
    world.spans.counter("public chain", "mempool", now_s, world.public_chain.mempool_size)
    world.records.end_round(row)


def _contributions(dao: Organisation, held: Round, shares: Floats) -> Iterator[dict[str, Any]]:
    """A row of the table `contributions` for each who took part; none where no measure was asked for."""
    if not (asked := dao.world.measures.asked):
        return
    arrived, place = held.work.arrived.tolist(), 0
    for member, there in zip(held.plan.users.tolist(), arrived, strict=True):
        row: dict[str, Any] = {
            "dao": dao.name,
            "episode": held.episode,
            "round": held.number,
            "user": dao.members.names[member],
            "conduct": str(dao.members.conduct[member]),
            "arrived": there,
        }
        for name in asked:
            column, found = name.replace("-", "_"), held.measured.get(name)
            row[column] = float(found.values[place]) if there and found else NAN
            if facts_of(name).sampled:
                row[f"{column}_error"] = float(found.errors[place]) if there and found else NAN
        place += there
        yield row | {"pay_share": float(shares[member]), "paid_money": 0.0}


def _columns(dao: Organisation, held: Round, shares: Floats) -> dict[str, Any]:
    """Columns (N,) over all members; who took no part has zeros where it did nothing, NaN where nothing is known."""
    decision, plan, work, updates = held.decision, held.plan, held.work, held.updates
    count, users = len(dao.members), plan.users

    def over_all(values: Any, absent: float) -> Any:
        column = np.full(count, absent)
        column[users] = values
        return column

    epochs, privacy = over_all(plan.epochs, 0.0), over_all(plan.privacy, 0.0)
    part = over_all(1.0, 0.0) > 0
    so_far = dao.deliveries.updates
    outcomes = np.where(dao.members.present(), Outcome.STAYED_OUT, Outcome.AWAY).astype(OUTCOME_TYPE)
    outcomes[users] = work.outcomes
    return {
        **_worth(dao, held, part, epochs, privacy, outcomes),
        "user": list(dao.members.names),
        "local_epochs": epochs.astype(np.int64),
        "privacy_budget": privacy,
        "takes_part": part,
        "train_s": over_all(work.train_s, 0.0),
        "masking_s": over_all(work.masking_s, 0.0),
        "upload_s": over_all(work.upload_s, 0.0),
        "consensus_s": over_all(work.consensus_s, 0.0),
        "age_s": over_all(work.age_s, NAN),
        "loss": over_all(updates.losses, NAN),
        "update_norm": over_all(updates.update_norms, NAN),
        "reward_announced_money": decision.rewards,
        "reward_received_money": np.zeros(count),
        "outcome": outcomes,
        "delivered_so_far": so_far[Outcome.FINAL].copy(),
        "late_so_far": so_far[Outcome.LATE].copy(),
        "dropped_out_so_far": so_far[Outcome.DROPPED_OUT].copy(),
        "stalled_so_far": so_far[Outcome.STALLED].copy(),
        "aborted_so_far": so_far[Outcome.ABORTED].copy(),
        "pay_share": shares,
    }


def _worth(
    dao: Organisation, held: Round, part: Bools, epochs: Floats, privacy: Floats, outcomes: Any
) -> dict[str, Any]:
    """What a whole minting at these efforts is worth to each member, and what the round cost it: columns (N,).

    All are 0 for a user that took no part.
    """
    settings = dao.world.settings
    # Without noise (centralized) ε is infinite; it is counted, and paid for, as the most that may be asked for.
    privacy = np.minimum(np.where(part, privacy, 1.0), settings.game.privacy_range[1])
    columns = held.decision.columns(epochs, privacy)
    parts = dao.members.names_of_each()  # one device trains them all, and their records are one user's
    whole, for_privacy = columns.pop("cost") / parts, columns.pop("privacy_cost", np.zeros(len(part))) / parts
    cost = whole / settings.learning.rounds
    if held.contracted is not None:  # ε is paid for when it is contracted, epochs as they are trained
        cost = (whole - for_privacy) / settings.learning.rounds + np.where(held.contracted, for_privacy, 0.0)
    return columns | {
        "user_utility": np.where(part, columns["user_utility"], 0.0),
        "cost_round_money": np.where(part, cost, 0.0),
        "cash_surplus_money": np.where(part, held.decision.rewards - whole, 0.0),
        "exploitability": np.where(outcomes == Outcome.AWAY, NAN, columns["exploitability"]),
    }
