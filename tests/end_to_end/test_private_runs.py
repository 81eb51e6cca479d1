"""Whole runs in which records are private: budgets end training, the folder tells what holds, and bytes repeat."""

import pytest

from flnft_sim import RunResult, load_scenario, run
from flnft_sim.errors import InputError
from flnft_sim.results import summary_text

PRIVATE = {
    "learning.privacy.mechanism": "dp-sgd",
    "learning.privacy.sampling_rate": 0.5,
    "learning.activation": "tanh",
    "learning.inputs": "unit",
    "learning.scheme": "random",
    "game.default_epochs": 1,
    "game.privacy_range": [2.0, 2.0],
}


def played(**more):
    return run(load_scenario("tiny", overrides=PRIVATE | more))


def test_a_user_stops_when_its_budget_is_spent_and_is_told_of(tmp_path):
    result = played(**{"learning.privacy.planned_epochs": 2, "failures.dropout_rate": 0.4})
    trained = result.users[result.users["local_epochs"] > 0].groupby("user").size()
    assert (trained <= 2).all() and len(trained)
    stayed = result.users[result.users["local_epochs"] == 0]
    assert (stayed["train_s"] == 0).all() and (stayed["reward_received_money"] >= 0).all()
    table = result.privacy.set_index("user")
    assert (table["steps_taken"] == 2 * trained.reindex(table.index, fill_value=0)).all()
    assert (table["stopped_in_round"] > 0).sum() == (trained == 2).sum()
    assert (table["epsilon_spent"] <= table["epsilon_guaranteed"]).all() and table["epsilon_guaranteed"].max() <= 2.0
    text = summary_text(result)
    assert "privacy guarantee" in text and "2.00 at δ" in text and "spent it and stopped" in text
    result.save(tmp_path / "run")
    told = RunResult.load(tmp_path / "run").manifest["privacy"]
    assert told["sampling"].startswith("Poisson") and told["accountant"].startswith("dp-accounting")


def test_private_runs_repeat_to_the_byte_and_other_seeds_differ():
    one, again, other = played(), played(), played(seed=1)
    assert one.ledger_lines == again.ledger_lines != other.ledger_lines
    assert "privacy" not in run(load_scenario("tiny")).manifest


def test_the_game_sees_declared_sizes_and_public_losses():
    """Shards of different sizes, and neither times nor losses tell which is which."""
    sizes = {"learning.partition.kind": "dirichlet", "learning.partition.alpha": 5.0}
    result = played(**sizes | {"devices.cpu_ghz": [4.0, 4.0], "learning.privacy.sampling_rate": 0.1})
    first = result.users[result.users["round"] == 1]
    assert first["train_s"].nunique() == 1 and first["loss"].nunique() == 1
    trusting = played(
        **sizes
        | {"devices.cpu_ghz": [4.0, 4.0], "learning.privacy.sampling_rate": 0.1, "learning.privacy.trusted_sizes": True}
    )
    assert trusting.users[trusting.users["round"] == 1]["train_s"].nunique() > 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"learning.privacy.delta": 0.01}, "learning.privacy.delta = 0.01 is not below 1 /"),
        (
            {"learning.privacy.sampling_rate": 1.0, "learning.partition.kind": "dirichlet"},
            "that a lot is expected to have",
        ),
    ],
)
def test_what_the_data_make_impossible_is_refused_before_anything_is_played(more, words):
    with pytest.raises(InputError, match=words):
        played(**more)
