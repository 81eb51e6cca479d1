"""What was measured is what is paid by, costs its time on the clock, and is in the table."""

import numpy as np
import pandas as pd
import pytest

from flnft_sim import FlnftModel, load_scenario, run
from flnft_sim.errors import InputError
from flnft_sim.game import delivered_shares, freshness_contribution

REAL = {"learning.rounds": 2, "game.history_auctions": 8, "learning.validation_share": 0.3, "population.users": 4}
SURROGATE = {"learning.learner": "surrogate", "learning.rounds": 2, "game.history_auctions": 8}


def tiny(**fields):
    return load_scenario("tiny", overrides={name.replace("__", "."): value for name, value in fields.items()})


def played(**fields):
    model = FlnftModel(tiny(**(REAL | fields)))
    model.run()
    return model, model.result()


@pytest.mark.parametrize("name", ["leave-one-out", "cosine"])
def test_shares_follow_what_was_measured_and_freshness_counts_as_often(name):
    """Recomputed from the tables: sums of c and of c·θ^F, nothing below 0, at the last decision's prices."""
    model, result = played(game__contribution=name)
    rows = result.contributions.merge(result.users, on=["dao", "episode", "round", "user"], suffixes=("", "_users"))
    values = rows[name.replace("-", "_")]
    rows["fresh"] = values * freshness_contribution(rows["age_s"])
    rows["value"] = values
    sums = rows.groupby("user", sort=False)[["value", "fresh"]].sum().clip(lower=0)
    step = model.daos[0].last_decision.step
    expected = delivered_shares(
        sums["value"],
        sums["fresh"],
        quality_money=float(step.quality_money.sum()),
        freshness_money=float(step.freshness_money.sum()),
    )
    last = rows[rows["round"] == 2]
    np.testing.assert_allclose(last["pay_share"], expected, rtol=1e-9)
    assert len(set(np.round(expected, 6))) > 1  # not all alike, so that the check could fail
    assert last["paid_money"].sum() == pytest.approx(result.users["reward_received_money"].sum())


def test_every_update_is_there_once_with_what_was_asked_for():
    model, result = played(game__measures=["volume", "shapley", "paper"])
    table = result.contributions
    asked = ["paper", "volume", "shapley", "shapley_error"]  # of few users exact
    assert list(table.columns) == [
        *("dao", "episode", "round", "user", "conduct", "arrived"),
        *asked,
        *("pay_share", "paid_money"),
    ]
    assert len(table) == int(result.rounds["participants"].sum())
    assert table[asked].notna().all(axis=None) and (table["shapley_error"] == 0).all()
    np.testing.assert_array_equal(table["volume"], np.tile(model.daos[0].shard_sizes, 2))


def test_measuring_takes_a_forward_pass_for_each_coalition_on_the_fastest_device():
    """Leave-one-out of four scores six models: the start, everybody, and everybody but one."""
    model, result = played(game__measures=["leave-one-out"])
    dao = model.daos[0]
    samples = round(0.3 * 360)
    expected_s = 6 * samples * dao.cycles_per_sample / 3 / dao.members.cpu_hz.max()
    spans = result.spans[result.spans["phase"] == "measuring"]
    np.testing.assert_allclose(spans["end_s"] - spans["start_s"], expected_s, rtol=1e-9)
    assert result.summary["minting_measuring_s"] == pytest.approx(2 * expected_s, abs=3e-6)
    assert result.phases["duration_us"].sum() == round(result.summary["minting_time_s"] * 1e6)


def test_what_needs_no_forward_pass_leaves_the_rest_of_a_run_as_it_was():
    """The same tables to the bit, measured or not."""
    plain, measured = (run(tiny(**SURROGATE, game__measures=asked)) for asked in ([], ["volume", "paper"]))
    for name in ("rounds", "users", "auctions", "spans"):
        pd.testing.assert_frame_equal(plain.tables[name], measured.tables[name])
    assert plain.contributions.empty and len(measured.contributions) == len(measured.users)


def test_updates_that_do_not_arrive_are_measured_as_nothing_and_paid_nothing():
    _, result = played(game__contribution="loss-drop", failures__dropout_rate=0.6)
    table = result.contributions
    lost = table[~table["arrived"]]
    assert len(lost) and lost["loss_drop"].isna().all()
    never = set(table["user"]) - set(table.loc[table["arrived"], "user"])
    assert (table.loc[table["user"].isin(never), "pay_share"] == 0).all()


def test_the_same_seed_measures_the_same():
    one, other = (played(game__contribution="shapley", population__users=10)[1] for _ in range(2))
    pd.testing.assert_frame_equal(one.contributions, other.contributions)
    assert (one.contributions["shapley_error"] > 0).any()


SECURE = {
    "learning.privacy.mechanism": "dp-secagg",
    "learning.privacy.sampling_rate": 1.0,
    "game.epochs_max": 1,
}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"game.contribution": "shaply"}, "unknown contribution measure 'shaply', did you mean 'shapley'"),
        ({"game.measures": ["shaply"]}, "unknown contribution measure 'shaply', did you mean 'shapley'"),
        ({"game.contribution": "shapley"}, "learning.validation_share is 0; give it a share of the test set"),
        (
            {"game.measures": ["shapley-exact"], "learning.validation_share": 0.2, "population.users": 13},
            "is worked out for at most 12 users, and a DAO here has 13",
        ),
        ({"learning.validation_share": 1.0}, "should be less than 1"),
        (SURROGATE | {"learning.validation_share": 0.2}, "the surrogate learner has no test set"),
        (SURROGATE | {"game.measures": ["cosine"]}, "the surrogate learner trains none; use 'paper' or 'volume'"),
        ({"game.measures": ["cosine"], "learning.scheme": "centralized"}, "all data are in one place"),
        (SECURE | {"game.contribution": "cosine"}, "under dp-secagg only their sum is seen"),
        (
            SURROGATE | {"game.measures": ["volume"], "population.crowd_from": 2, "radio.cross_talk": 0.0},
            "move as crowds, of whom no single contribution is kept",
        ),
        (
            {"game.contribution": "volume", "market.mechanism": "sound"},
            "the mechanism 'sound' pays by attested effort; use 'paper' there",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(fields, sentence):
    with pytest.raises(InputError) as caught:
        load_scenario("tiny", overrides=fields)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_secure_sums_can_still_be_paid_by_volume():
    assert tiny(**{name.replace(".", "__"): value for name, value in SECURE.items()}, game__contribution="volume")
