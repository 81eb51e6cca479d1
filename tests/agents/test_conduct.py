"""Adversaries in a market: who they are, what they cost on the clock, and what they are paid."""

import os
import subprocess
import sys

import numpy as np
import pytest

from flnft_sim import load_scenario, run
from flnft_sim.errors import FlnftError
from flnft_sim.simulation.building.conduct import draw_conduct
from flnft_sim.streams import Streams

BASE = {
    "population.users": 8,
    "learning.rounds": 3,
    "learning.validation_share": 0.5,
    "game.measures": ["loss-drop"],
    "radio.placement": "random",
    "game.history_auctions": 5,
}


def settled(*, users=8, **failures):
    asked = {f"failures.{name}": value for name, value in failures.items()}
    return load_scenario("roblox10", overrides=BASE | {"population.users": users} | asked)


def of(result, conduct, table="users"):
    who = result.contributions.loc[result.contributions.conduct == conduct, "user"]
    rows = getattr(result, table)
    return rows[rows.user.isin(set(who))]


@pytest.fixture(scope="module")
def honest():
    return run(settled(), seed=3)


@pytest.fixture(scope="module")
def riders():
    """The same eight persons, one of them under two names."""
    one_each = dict.fromkeys(("free_riders", "lazy", "poisoners", "liars", "label_flippers"), 1)
    return run(settled(**one_each, sybils=2, users=9), seed=3)


def test_each_kind_is_there_as_often_as_asked(riders):
    counts = riders.contributions.drop_duplicates("user").conduct.value_counts().to_dict()
    one_each = dict.fromkeys(("free-rider", "lazy", "poisoner", "liar", "label-flipper"), 1)
    assert counts == one_each | {"sybil": 2, "honest": 2}


def test_a_free_rider_takes_no_time_is_the_freshest_and_costs_itself_nothing(riders):
    rides = of(riders, "free-rider")
    assert rides.takes_part.all()
    assert (rides.local_epochs == 0).all()
    assert (rides.train_s == 0).all()
    assert (rides.cost_round_money == 0).all()
    assert (rides.user_utility == 0).all()  # Eq. 14 pays for effort: of money without any it says nothing
    assert (of(riders, "honest").user_utility != 0).all()
    assert rides.age_s.max() < of(riders, "honest").age_s.min()
    assert (
        of(riders, "free-rider", "contributions").pay_share.iloc[-1]
        > of(riders, "honest", "contributions").pay_share.iloc[-1]
    )
    first = rides.iloc[0]
    assert first.update_norm == 0  # it has not seen the model move yet
    assert (rides.update_norm.iloc[1:] > 0).all()


def test_who_is_lazy_trains_one_epoch_and_pays_for_one(riders, honest):
    lazy = of(riders, "lazy")
    assert (lazy.local_epochs == 1).all()
    before = honest.users[honest.users.user.isin(set(lazy.user)) & (honest.users["round"] == 1)].iloc[0]
    first = lazy.iloc[0]
    assert before.local_epochs > 1
    assert first.train_s == pytest.approx(before.train_s / before.local_epochs)


def test_liars_report_less_and_poisoners_send_the_same_length(riders, honest):
    for conduct, column, factor in (("liar", "loss", 0.1), ("poisoner", "update_norm", 1.0)):
        told = of(riders, conduct).iloc[0]
        true = honest.users[(honest.users.user == told.user) & (honest.users["round"] == 1)].iloc[0]
        assert told[column] == pytest.approx(factor * true[column], rel=1e-5)
        assert told.train_s == pytest.approx(true.train_s)


def test_turned_updates_and_false_labels_do_harm_where_honest_ones_help(riders):
    drop = riders.contributions.groupby("conduct").loss_drop.mean()
    assert drop["honest"] > 0 > drop["poisoner"]
    assert drop["label-flipper"] < 0


def test_names_of_one_user_share_its_data_its_place_and_its_device_one_after_the_other(riders, honest):
    names = of(riders, "sybil")
    first = names[names["round"] == 1]
    assert len(first) == 2
    alone = honest.users[(honest.users.user == first.user.min()) & (honest.users["round"] == 1)].iloc[0]
    per_epoch = (first.train_s / first.local_epochs).sum()
    assert per_epoch == pytest.approx(alone.train_s / alone.local_epochs)  # each trains its part of the data
    spans = riders.spans[riders.spans.agent.isin(set(names.user)) & (riders.spans.phase == "training")]
    one, other = spans.sort_values("start_s").head(2).itertuples()
    assert one.end_s <= other.start_s
    at = riders.positions.set_index("name").loc[first.user.tolist(), ["x_m", "y_m"]]
    assert at.nunique().tolist() == [1, 1]


def test_drawn_users_do_not_change_with_further_names():
    rides = draw_conduct(settled(free_riders=1), Streams(5)) == "free-rider"
    names = np.flatnonzero(draw_conduct(settled(sybils=3, users=10), Streams(5)) == "sybil")
    assert names.tolist() == [int(np.flatnonzero(rides)[0]), 8, 9]


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ({"failures.free_riders": 9}, "9 adversaries .* more than the 8 users"),
        ({"failures.lazy": 5, "failures.liars": 4}, "lazy 5, liars 4"),
        ({"failures.sybils": 1}, "no sybil"),
        ({"failures.sybils": 3, "population.daos": 4, "learning.rounds": 1}, "first DAO, which has 2 members"),
        ({"failures.poisoners": 1, "learning.scheme": "centralized", "game.measures": []}, "all data are in one place"),
        ({"failures.lazy": 1, "market.mechanism": "sound"}, "attests effort"),
        (
            {
                "failures.free_riders": 1,
                "learning.learner": "surrogate",
                "learning.validation_share": 0,
                "game.measures": [],
            },
            "trains no updates",
        ),
        ({"failures.liars": 1, "learning.privacy.mechanism": "dp-sgd"}, "nobody reports its own"),
        ({"failures.free_riders": 1, "learning.privacy.mechanism": "dp-sgd"}, "never adds"),
        ({"failures.free_rider": 1}, "free_riders"),
        ({"failures.poison_scale": float("nan")}, "finite"),
        ({"game.reputation": 0.5, "game.measures": []}, "nothing is measured"),
        ({"game.reputation": 0.5, "market.mechanism": "sound"}, "attested effort"),
    ],
)
def test_adversaries_without_a_place_are_refused(overrides, says):
    with pytest.raises(FlnftError, match=says) as caught:
        load_scenario("roblox10", overrides=BASE | overrides)
    assert "\n" not in str(caught.value).strip()


def test_more_names_than_samples_end_in_one_sentence():
    crowded = BASE | {"failures.sybils": 200, "population.users": 210, "learning.rounds": 1}
    with pytest.raises(FlnftError, match=r"failures\.sybils = 200: user \d+ has \d+ samples"):
        run(load_scenario("roblox10", overrides=crowded), seed=0)


def test_reputation_takes_pay_from_who_poisons_round_after_round():
    paid = {}
    for reputation in (0.0, 0.5):
        rounds = {"learning.rounds": 4, "game.reputation": reputation}
        result = run(load_scenario("roblox10", overrides=BASE | rounds | {"failures.poisoners": 1}), seed=3)
        paid[reputation] = of(result, "poisoner", "contributions").pay_share.iloc[-1]
    assert 0 < paid[0.5] < 0.6 * paid[0.0]


def test_what_adversaries_get_and_cost_is_in_the_summary(riders, honest):
    assert "adversaries_gain_money" not in honest.summary
    received = riders.users.groupby("user").reward_received_money.sum()
    honestly = set(of(riders, "honest").user)
    theirs = received[[user not in honestly for user in received.index]]
    assert riders.summary["adversaries_received_money"] == pytest.approx(theirs.sum())
    assert riders.summary["honest_received_money"] == pytest.approx(received[sorted(honestly)].mean())


def test_several_names_cost_what_one_would_at_the_same_effort(riders, honest):
    names = of(riders, "sybil")
    first = names[names["round"] == 1]
    alone = honest.users[(honest.users.user == first.user.min()) & (honest.users["round"] == 1)].iloc[0]
    unit = alone.cost_round_money / (alone.local_epochs + alone.privacy_budget)
    mean = first.cost_round_money.sum() / (first.local_epochs + first.privacy_budget).mean()
    assert mean == pytest.approx(unit, rel=0.15)  # k and ε have unlike prices


def test_threads_of_the_linear_algebra_change_no_byte(tmp_path):
    """Lengths of vectors and what is measured of updates are summed in a fixed order."""
    written = []
    for threads in ("1", "2"):
        folder = tmp_path / threads
        words = ["run", "riders", "--set", "learning.rounds=8", "--figures", "none", "-q", "--out", str(folder)]
        program = "from flnft_sim.cli import main; main()"
        environment = os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", program, *words], env=environment, capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        written.append((folder / "contributions.csv").read_bytes())
    assert written[0] == written[1]
