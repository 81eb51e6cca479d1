"""Rounds on the clock: what a deadline lets in, what the ledger then holds, and how long a round without anybody is."""

import numpy as np
import pytest

from flnft_sim import FlnftModel, load_scenario
from flnft_sim.game import age_closed_form

QUICK = {"learning.learner": "surrogate", "game.history_auctions": 6, "game.damping": 1.0}
RANDOM = {"learning.scheme": "random"}  # no decision, so that a deadline changes no answers
KINDS = pytest.mark.parametrize(
    "kind", [{}, {"population.crowd_from": 1, "radio.cross_talk": 0.0}], ids=["individuals", "crowd"]
)


def played(**fields):
    model = FlnftModel(load_scenario("tiny", overrides=QUICK | fields))
    model.run()
    return model, model.result()


def updates_on_the_ledger(model):
    """(round, how many updates) of every transaction of a DAO's training, with its block's time."""
    for block in model.daos[0].ledger.chain.blocks[1:]:
        for transaction in block.transactions:
            if transaction.kind in ("update", "updates"):
                payload = transaction.payload
                yield payload["round"], payload.get("updates", 1), block.time_s


@KINDS
def test_the_ledger_holds_the_updates_that_were_aggregated_and_no_others(kind):
    """Eight used to be there where five had been aggregated: late ones were written after their round."""
    fields = RANDOM | kind | {"learning.rounds": 6, "private_ledger.delay_ms": 200.0}
    unhurried, free = played(**fields)
    deadline_s = 0.98 * float((free.rounds["end_s"] - free.rounds["start_s"]).min())
    model, result = played(**fields, **{"timeline.round_deadline_s": deadline_s})
    rounds = result.rounds.set_index("round")
    written = {number: 0 for number in rounds.index}
    for number, count, time_s in updates_on_the_ledger(model):
        written[number] += count
        assert rounds["start_s"][number] < time_s <= rounds["end_s"][number]
    assert list(written.values()) == rounds["delivered"].tolist()
    assert rounds["late_dropped"].sum() > 0 and rounds["delivered"].sum() > 0
    assert (rounds["delivered"] + rounds["late_dropped"] == 4).all()
    assert sum(count for _, count, _ in updates_on_the_ledger(unhurried)) == 24  # where there is no deadline, all are


@KINDS
def test_final_at_the_deadline_itself_is_in_time_and_a_moment_later_is_late(kind):
    fields = RANDOM | kind | {"learning.rounds": 1}
    _, free = played(**fields)
    last_s = float((free.rounds["end_s"] - free.rounds["start_s"]).iloc[0])
    _, at_it = played(**fields, **{"timeline.round_deadline_s": last_s})
    assert at_it.rounds["late_dropped"].sum() == 0 and at_it.rounds["delivered"].sum() == 4
    assert at_it.rounds["end_s"].tolist() == free.rounds["end_s"].tolist()
    _, before = played(**fields, **{"timeline.round_deadline_s": last_s * (1 - 1e-9)})
    assert before.rounds["late_dropped"].sum() > 0


def test_roundings_do_not_make_an_update_late():
    """Started at some odd instant, the same durations add up to another last digit."""
    fields = RANDOM | {"learning.rounds": 5, "private_ledger.delay_sd_ms": 0.0, "radio.cross_talk": 0.0}
    _, free = played(**fields)
    longest_s = free.users.groupby("round")["age_s"].max()
    for number in longest_s.index:
        _, result = played(**fields, **{"timeline.round_deadline_s": float(longest_s[number])})
        assert result.rounds["late_dropped"][number - 1] == 0


@KINDS
def test_replicas_that_stall_after_a_deadline_do_not_end_the_run(kind):
    """Who asked has given up by the time the ledger would tell that it cannot decide."""
    fields = QUICK | kind | {"timeline.round_deadline_s": 1.0}
    model = FlnftModel(load_scenario("tiny", overrides=fields))
    model.daos[0].ledger.consensus.crash(2, 3)
    model.run()
    result = model.result()
    assert set(result.users["outcome"]) == {"late"} and result.rounds["late_dropped"].sum() == 12
    assert model.phase == "finished" and "12 late" in result.auctions["reason"].iloc[0]


@KINDS
@pytest.mark.parametrize("scheme", ["random", "loss", "gradient-norm", "pms-am"])
def test_a_round_without_participants_lasts_as_long_as_a_round_would(scheme, kind):
    """Rounds in which nobody takes part used to last 0 s, all hundred of them at one instant."""
    for deadline_s in (None, 7.5):
        model = FlnftModel(
            load_scenario(
                "tiny", overrides=QUICK | kind | {"learning.scheme": scheme, "timeline.round_deadline_s": deadline_s}
            )
        )
        dao = model.daos[0]
        if kind:
            dao.members._away_until_s[:] = np.inf
        else:
            for user in dao.members.users:
                user.away_until_s = float("inf")
        consensus_s = dao.ledger.expected_of([None] * 4 if kind else range(4))
        foreseen_s = age_closed_form(
            epochs=model.settings.game.default_epochs,
            seconds_per_epoch=dao.seconds_per_epoch,
            upload_s=model.world.cell.links.upload_alone_s(dao.learner.model.upload_bits),
            consensus_s=consensus_s,
        )
        model.run()
        rounds = model.result().rounds
        ranking_s = dao.seconds_per_epoch.max() / 3 if dao.scheme.ranks_by else 0.0
        lengths_s = rounds["end_s"] - rounds["start_s"] - rounds["decision_s"] - ranking_s
        np.testing.assert_allclose(lengths_s, foreseen_s.max() if deadline_s is None else deadline_s)
        assert (rounds["participants"] == 0).all() and (lengths_s > 0).all()
        assert (rounds["decision_s"] > 0).all() == (scheme == "pms-am")


@pytest.mark.parametrize("scheme", ["random", "loss", "gradient-norm", "pms-am"])
def test_who_is_away_works_for_no_scheme(scheme):
    model = FlnftModel(load_scenario("tiny", overrides=QUICK | {"learning.scheme": scheme}))
    model.users[2].away_until_s = float("inf")
    model.run()
    users = model.result().users
    assert not users.loc[users["user"] == "user-2", "takes_part"].any()
    assert set(users.loc[users["user"] == "user-2", "outcome"]) == {"away"}
    assert users.loc[users["user"] != "user-2", "takes_part"].all()


def test_one_who_is_away_takes_nobodys_place_in_a_ranking():
    """Two of four take part a round: the two that rank highest of those who are there."""
    model = FlnftModel(
        load_scenario("tiny", overrides=QUICK | {"learning.scheme": "loss", "learning.round_share": 0.5})
    )
    model.users[0].away_until_s = float("inf")
    model.run()
    assert (model.result().rounds["participants"] == 2).all()


# ---- the request's hop to the primary -------------------------------------------------------------------------------


def test_an_update_travels_to_the_primary_before_it_is_proposed():
    """Equal delays of 50 ms: three phases for the primary's own update, one hop more for everybody else's."""
    still = RANDOM | {"private_ledger.delay_sd_ms": 0.0}
    _, result = played(**still)
    consensus_s = result.users.groupby("user")["consensus_s"].agg(["min", "max"])
    np.testing.assert_allclose(consensus_s["min"], [0.15, 0.2, 0.2, 0.2])
    np.testing.assert_allclose(consensus_s["max"], [0.15, 0.2, 0.2, 0.2])
    _, then = played(**still, **{"private_ledger.request_hop": False})
    np.testing.assert_allclose(then.users["consensus_s"], 0.15)


def test_the_hop_is_foreseen():
    model = FlnftModel(load_scenario("tiny", overrides=QUICK | {"private_ledger.delay_sd_ms": 0.0}))
    dao = model.daos[0]
    alone_s = model.world.cell.links.upload_alone_s(dao.learner.model.upload_bits)
    np.testing.assert_allclose(dao.experience.fixed_age_s - alone_s, [0.15, 0.2, 0.2, 0.2])
    assert dao.ledger.expected_s == pytest.approx((0.15 + 3 * 0.2) / 4)


def test_the_hops_draws_leave_all_others_alone():
    """The primary's own updates, uploads, training and the public chain's blocks are the same with it and without."""
    _, with_hop = played(**RANDOM, **{"learning.rounds": 1})
    _, without = played(**RANDOM, **{"learning.rounds": 1, "private_ledger.request_hop": False})
    same = ["train_s", "upload_s", "loss", "update_norm", "local_epochs"]
    assert with_hop.users[same].equals(without.users[same])
    longer_s = with_hop.users["consensus_s"] - without.users["consensus_s"]
    assert longer_s[0] == 0.0 and longer_s[1:].between(0.01, 0.1).all() and longer_s[1:].nunique() == 3
