"""`flnft chain`: the sums are the table's, whatever the price."""

import json

import pytest

from flnft_sim import load_scenario, run
from flnft_sim.cli.chain import chain_command
from flnft_sim.errors import InputError
from flnft_sim.figures import FIGURES
from flnft_sim.results import RunResult
from flnft_sim.results.gas import gas_by_kind, gas_by_party, gas_by_story

QUICK = {"learning.learner": "surrogate", "game.history_auctions": 4}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "tiny"
    run(load_scenario("tiny", overrides=QUICK | {"public_chain.backend": "evm"})).save(path, figures=False)
    return path


def test_every_table_has_all_the_gas_and_money_follows_the_price(folder):
    table = RunResult.load(folder).transactions
    kinds, parties = gas_by_kind(table, price_gwei=30.0), gas_by_party(table, price_gwei=30.0)
    assert kinds["gas_total"].sum() == parties["gas_total"].sum() == table["gas_used"].sum()
    assert kinds["money"].sum() == pytest.approx(table["gas_used"].sum() * 30e-9)
    assert kinds["transactions"].sum() == len(table)
    story = gas_by_story(table, price_gwei=30.0)
    assert (story["held"] * story["gas"]).sum() == pytest.approx(table["gas_used"].sum())
    assert {"gas_contract", "gas_dao", "gas_provider", "gas_user"} <= set(story)


def test_the_command_tells_what_was_executed(folder, capsys):
    assert chain_command(folder) == 0
    told = capsys.readouterr().out
    assert "as executed by contracts" in told and "20 gwei" in told and "a minting" in told
    assert chain_command(folder, price_gwei=3.5, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["gas_price_gwei"] == 3.5


def test_a_run_that_put_nothing_on_the_chain_is_named(tmp_path):
    result = run(load_scenario("tiny", overrides=QUICK | {"failures.dropout_rate": 1.0, "learning.rounds": 1}))
    result.save(tmp_path / "run", figures=False)
    with pytest.raises(InputError, match="nothing was final on the public chain"):
        chain_command(tmp_path / "run")


def test_the_figure_is_of_executed_contracts_alone(folder):
    assert FIGURES.get("gas")(RunResult.load(folder)) is not None
    assert FIGURES.get("gas")(run(load_scenario("tiny", overrides=QUICK))) is None
