"""The rows an FL round leaves in the tables `rounds` and `users`."""

from typing import TYPE_CHECKING, Any

import numpy as np

from flnft_sim.agents.dao.decision import Decision
from flnft_sim.agents.dao.work import Work
from flnft_sim.game import terms_for_all, user_exploitability
from flnft_sim.learning import LocalUpdates, Participation

if TYPE_CHECKING:
    from flnft_sim.agents.dao.dao import MuDao

Row = dict[str, Any]
NOTHING = float("nan")


def record_round(
    dao: "MuDao",
    episode: int,
    number: int,
    started_s: float,
    decision: Decision,
    plan: Participation,
    work: Work,
    updates: LocalUpdates,
    accuracy: float,
    loss: float,
) -> None:
    """Write the round's row and its members' rows, and tell whoever shows progress."""
    world, now_s = dao.world, dao.world.env.now
    step = decision.step
    row: Row = {
        "dao": dao.name,
        "episode": episode,
        "round": number,
        "start_s": started_s,
        "end_s": now_s,
        "decision_s": decision.seconds,
        "iterations": step.iteration,
        "decision_gap": step.gap if np.isfinite(step.gap) else NOTHING,
        "decision_settled": decision.settled,
        "participants": len(plan.users),
        "stayed_out": len(dao.members) - len(plan.users),
        "late_dropped": work.count("late"),
        "dropped_out": work.count("dropped out"),
        "stalled": work.count("stalled"),
        "delivered": work.count("final"),
        "accuracy": accuracy,
        "loss": loss,
        "quality": step.quality,
        "freshness": step.freshness,
        "aoi_mean_s": dao.age.mean(now_s, since_s=started_s),
        "reward_announced_money": float(decision.rewards.sum()),
    }
    world.records.rounds.append(row)
    dao.members.record(
        {"dao": dao.name, "episode": episode, "round": number} | _columns(dao, decision, plan, work, updates)
    )
    world.spans.counter(dao.name, "accuracy", now_s, accuracy)
    world.spans.counter(dao.name, "age_of_information_s", now_s, dao.age.age(now_s))
    world.spans.counter("public chain", "mempool", now_s, world.public_chain.mempool_size)
    world.on_round(row)


def _columns(
    dao: "MuDao", decision: Decision, plan: Participation, work: Work, updates: LocalUpdates
) -> dict[str, Any]:
    """Columns (N,) over all members; who took no part has zeros where it did nothing, NaN where nothing is known."""
    count, step, users = len(dao.members), decision.step, plan.users

    def over_all(values: Any, absent: float) -> Any:
        column = np.full(count, absent)
        column[users] = values
        return column

    epochs, privacy = over_all(plan.epochs, 0.0), over_all(plan.privacy, 0.0)
    utilities, surplus, costs = dao.decision_phase.outcome(decision, epochs, privacy)
    so_far = dao.deliveries.updates
    outcomes = np.where(dao.members.present(), "stayed out", "away").astype("<U11")
    outcomes[users] = work.outcomes
    forgone = user_exploitability(terms_for_all(decision.problem, step), epochs, np.where(epochs > 0, privacy, 1.0))
    return {
        "user": list(dao.members.names),
        "local_epochs": epochs.astype(np.int64),
        "privacy_budget": privacy,
        "takes_part": epochs > 0,
        "train_s": over_all(work.train_s, 0.0),
        "upload_s": over_all(work.upload_s, 0.0),
        "consensus_s": over_all(work.consensus_s, 0.0),
        "age_s": over_all(work.age_s, NOTHING),
        "loss": over_all(updates.losses, NOTHING),
        "update_norm": over_all(updates.update_norms, NOTHING),
        "quality_share": step.quality_shares,
        "freshness_share": step.freshness_shares,
        "reward_announced_money": decision.rewards,
        "user_utility": utilities,
        "cost_round_money": costs,
        "cash_surplus_money": surplus,
        "exploitability": np.where(outcomes == "away", NOTHING, forgone),
        "reward_received_money": np.zeros(count),
        "outcome": outcomes,
        "delivered_so_far": so_far["final"].copy(),
        "late_so_far": so_far["late"].copy(),
        "dropped_out_so_far": so_far["dropped out"].copy(),
        "stalled_so_far": so_far["stalled"].copy(),
        "pay_share": dao.deliveries.shares(decision),
    }
