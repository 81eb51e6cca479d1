"""`flnft verify --rerun`: a run that took place is the same again, and a made-up one that is signed is told from it."""

import sys

import pytest

from flnft_sim import FlnftModel, load_scenario, run
from flnft_sim.cli import main
from flnft_sim.errors import FlnftError
from flnft_sim.experiments.rerun import rerun
from flnft_sim.ledger import VerificationError
from flnft_sim.results.folder import add_files
from flnft_sim.results.verify import verify_run

SETTINGS = {"learning.learner": "surrogate", "game.history_auctions": 2, "learning.rounds": 2}


def scenario(**fields):
    return load_scenario("tiny", overrides=SETTINGS | fields)


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "honest"
    run(scenario()).save(folder, figures=False)
    return folder


def test_an_honest_run_is_the_same_again(honest):
    assert rerun(honest) == "computed again, the run left the same bytes in all 23 files"


@pytest.mark.parametrize(
    ("table", "column", "place"),
    [
        ("rounds", "accuracy", r"rounds\.csv differs from the run computed again, first in line 2, column accuracy"),
        ("positions", "name", r"positions\.csv differs from the run computed again, first in line 2, column name"),
    ],
)
def test_a_made_up_table_that_is_signed_is_found_by_a_rerun_alone(tmp_path, table, column, place):
    result = run(scenario())
    rows = getattr(result, table)
    rows[column] = 0.99 if column == "accuracy" else "nobody"
    result.save(tmp_path / "run", figures=False)
    verify_run(tmp_path / "run")
    with pytest.raises(VerificationError, match=place):
        rerun(tmp_path / "run")


def test_made_up_weights_statements_and_figures_are_found_too(tmp_path):
    result = run(scenario())
    result.manifest["repeat"] = "no"
    result.save(tmp_path / "said", figures=False)
    with pytest.raises(VerificationError, match=r"ledger\.jsonl differs .* first in line \d+"):
        rerun(tmp_path / "said")
    result = run(scenario())
    result.save(tmp_path / "drawn", figures=False)
    add_files(tmp_path / "drawn", [("figures/accuracy.png", b"a better one")])
    verify_run(tmp_path / "drawn")
    with pytest.raises(VerificationError, match=r"figures/accuracy\.png differs"):
        rerun(tmp_path / "drawn")


def stopped(until_s):
    model = FlnftModel(scenario())
    model.run(until_s)
    return model.result(status="interrupted")


@pytest.mark.parametrize("until_s", [0.5, 4.0, 60.0])
def test_an_interrupted_run_is_the_beginning_of_the_run(tmp_path, until_s):
    result = stopped(until_s)
    result.save(tmp_path / "run", figures=False)
    assert verify_run(tmp_path / "run").status == "interrupted"
    assert f"{len(result.rounds)} finished rounds" in rerun(tmp_path / "run")


def test_a_made_up_round_of_an_interrupted_run_is_found(tmp_path):
    result = stopped(4.0)
    result.rounds["accuracy"] = 0.99
    result.save(tmp_path / "run", figures=False)
    verify_run(tmp_path / "run")
    with pytest.raises(VerificationError, match=r"rounds\.csv differs from the run computed again, first in line 2"):
        rerun(tmp_path / "run")


def test_a_run_that_failed_fails_again_in_the_same_way(tmp_path):
    model = FlnftModel(scenario(**{"timeline.longest_s": 125.0}))
    with pytest.raises(FlnftError) as error:
        model.run()
    model.result(status="failed", error=str(error.value)).save(tmp_path / "run", figures=False)
    assert verify_run(tmp_path / "run").status == "failed"
    assert "the same bytes in all" in rerun(tmp_path / "run")


def test_a_run_of_another_code_version_is_told_as_such(honest, monkeypatch):
    monkeypatch.setattr("flnft_sim.experiments.rerun.code_version", lambda: "9.9+newer")
    with pytest.raises(VerificationError, match=r"was made by code version .*, this is 9\.9\+newer"):
        rerun(honest)


def status_of(*words, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["flnft", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


def test_the_command_says_what_a_rerun_alone_proves(honest, tmp_path, monkeypatch, capsys):
    assert status_of("verify", str(honest), monkeypatch=monkeypatch) == 0
    assert "only --rerun proves" in capsys.readouterr().out
    assert status_of("verify", "--rerun", str(honest), monkeypatch=monkeypatch) == 0
    assert "computed again, the run left the same bytes" in capsys.readouterr().out
    result = run(scenario())
    result.users["loss"] += 1e-9
    result.save(tmp_path / "run", figures=False)
    assert status_of("verify", "--rerun", str(tmp_path / "run"), monkeypatch=monkeypatch) == 1
    assert "users.csv differs" in capsys.readouterr().err
