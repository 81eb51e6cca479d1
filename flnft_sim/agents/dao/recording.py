"""The rows an FL round leaves in the tables `rounds` and `users`."""

from typing import Any

import numpy as np

from flnft_sim.agents.dao.organisation import Organisation
from flnft_sim.agents.dao.round import Round
from flnft_sim.agents.decision import Decision
from flnft_sim.arrays import Floats
from flnft_sim.game import terms_for_all, user_exploitability
from flnft_sim.results.outcome import OUTCOME_TYPE, Outcome
from flnft_sim.results.tables import NAN, RoundRow


def record_round(dao: Organisation, held: Round) -> None:
    """Write the round's row and its members' rows, and tell whoever shows progress."""
    world, now_s = dao.world, dao.world.env.now
    decision, work, step = held.decision, held.work, held.decision.step
    row = RoundRow(
        dao=dao.name,
        episode=held.episode,
        round=held.number,
        start_s=held.started_s,
        end_s=now_s,
        decision_s=decision.seconds,
        iterations=step.iteration,
        decision_gap=step.gap if np.isfinite(step.gap) else NAN,
        decision_settled=decision.settled,
        participants=len(held.plan.users),
        stayed_out=len(dao.members) - len(held.plan.users),
        late_dropped=work.count(Outcome.LATE),
        dropped_out=work.count(Outcome.DROPPED_OUT),
        stalled=work.count(Outcome.STALLED),
        delivered=work.count(Outcome.FINAL),
        accuracy=held.accuracy,
        loss=held.loss,
        quality=step.quality,
        freshness=step.freshness,
        aoi_mean_s=dao.age.mean(now_s, since_s=held.started_s),
        reward_announced_money=float(decision.rewards.sum()),
    )
    dao.members.record({"dao": dao.name, "episode": held.episode, "round": held.number} | _columns(dao, held))
    world.spans.counter(dao.name, "accuracy", now_s, held.accuracy)
    world.spans.counter(dao.name, "age_of_information_s", now_s, dao.age.age(now_s))
    world.spans.counter("public chain", "mempool", now_s, world.public_chain.mempool_size)
    world.records.end_round(row)


def _columns(dao: Organisation, held: Round) -> dict[str, Any]:
    """Columns (N,) over all members; who took no part has zeros where it did nothing, NaN where nothing is known."""
    decision, plan, work, updates = held.decision, held.plan, held.work, held.updates
    count, step, users = len(dao.members), decision.step, plan.users

    def over_all(values: Any, absent: float) -> Any:
        column = np.full(count, absent)
        column[users] = values
        return column

    epochs, privacy = over_all(plan.epochs, 0.0), over_all(plan.privacy, 0.0)
    utilities, surplus, costs = _money(dao, decision, epochs, privacy)
    so_far = dao.deliveries.updates
    outcomes = np.where(dao.members.present(), Outcome.STAYED_OUT, Outcome.AWAY).astype(OUTCOME_TYPE)
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
        "age_s": over_all(work.age_s, NAN),
        "loss": over_all(updates.losses, NAN),
        "update_norm": over_all(updates.update_norms, NAN),
        "quality_share": step.quality_shares,
        "freshness_share": step.freshness_shares,
        "reward_announced_money": decision.rewards,
        "user_utility": utilities,
        "cost_round_money": costs,
        "cash_surplus_money": surplus,
        "exploitability": np.where(outcomes == Outcome.AWAY, NAN, forgone),
        "reward_received_money": np.zeros(count),
        "outcome": outcomes,
        "delivered_so_far": so_far[Outcome.FINAL].copy(),
        "late_so_far": so_far[Outcome.LATE].copy(),
        "dropped_out_so_far": so_far[Outcome.DROPPED_OUT].copy(),
        "stalled_so_far": so_far[Outcome.STALLED].copy(),
        "pay_share": dao.deliveries.shares(decision),
    }


def _money(dao: Organisation, decision: Decision, epochs: Floats, privacy: Floats) -> tuple[Floats, Floats, Floats]:
    """Utility Φ_i (Eq. 14) and cash surplus δ_i − κ·C_i of a whole minting at what users did, and the round's cost.

    All in money, (N,), and 0 for a user that took no part.
    """
    settings = dao.world.settings
    part, privacy = epochs > 0, np.where(epochs > 0, privacy, 1.0)
    # Without noise (centralized) ε is infinite; it is counted, and paid for, as the most that may be asked for.
    privacy = np.minimum(privacy, settings.game.privacy_range[1])
    epochs = np.maximum(epochs, 1.0)
    utility = decision.problem.utility(decision.rewards, epochs, privacy)
    whole = decision.problem.cost(epochs, privacy)
    surplus = decision.rewards - whole
    cost = whole / settings.learning.rounds
    return np.where(part, utility, 0.0), np.where(part, surplus, 0.0), np.where(part, cost, 0.0)
