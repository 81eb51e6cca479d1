"""What riding gains: differences by hand, and one audit from the command line."""

import json

import pandas as pd
import pytest

from flnft_sim.cli import main
from flnft_sim.errors import FlnftError
from flnft_sim.experiments.riding_audit import deviations, gains, planned


def row(deviation, seed, received, cost, accuracy=0.5):
    return {
        "deviation": deviation,
        "contribution": "paper",
        "aggregator": "fedavg",
        "seed": seed,
        "adversaries_received_money": received,
        "adversaries_cost_money": cost,
        "adversaries_gain_money": received - cost,
        "accuracy": accuracy,
    }


def test_gains_are_differences_paired_by_seed():
    runs = [row("honest", 0, 10.0, 4.0, 0.9), row("honest", 1, 30.0, 4.0, 0.7), row("honest", 2, 7.0, 1.0)]
    runs += [row("free-rider", 1, 33.0, 0.0, 0.6), row("free-rider", 0, 11.0, 0.0, 0.9)]
    table = gains(pd.DataFrame(runs))
    assert len(table) == 1
    found = table.iloc[0]
    assert found.n == 2  # the third seed has no pair
    assert (found.honest_money, found.deviating_money) == (20.0, 22.0)
    assert (found.pay_money, found.saved_money, found.gain_money) == (2.0, 4.0, 6.0)
    assert found.accuracy_points == pytest.approx(-5.0)
    assert found.ci95_low < 6.0 < found.ci95_high  # 5 and 7: one freedom, t = 12.7
    assert found.ci95_high - 6.0 == pytest.approx(12.706 * 2**0.5 / 2**0.5, rel=1e-3)


def test_a_deviation_that_changes_nothing_gains_nothing():
    runs = [row("honest", seed, 5.0 + seed, 1.0) for seed in range(3)]
    runs += [row("liar", seed, 5.0 + seed, 1.0) for seed in range(3)]
    found = gains(pd.DataFrame(runs)).iloc[0]
    assert (found.gain_money, found.ci95_low, found.ci95_high) == (0.0, 0.0, 0.0)


def test_every_deviation_is_one_users_and_all_else_is_honest():
    runs = planned("riders", ["paper"], ["fedavg"], [7])
    assert [names["deviation"] for names, _ in runs] == list(deviations(12))
    for names, settings in runs:
        failures = settings.failures
        kinds = ("free_riders", "lazy", "label_flippers", "poisoners", "liars")
        users = sum(getattr(failures, kind) for kind in kinds)
        assert (users, failures.sybils) == ((0, 2) if names["deviation"] == "sybil" else (1, 0))
        assert settings.population.users == 12 + (names["deviation"] == "sybil")


@pytest.mark.parametrize(
    ("scenario", "measure", "says"),
    [("market", "paper", "with one"), ("riders", "shaply", "shapley"), ("mega", "paper", "crowds")],
)
def test_what_cannot_be_audited_is_refused_in_one_sentence(scenario, measure, says):
    with pytest.raises(FlnftError, match=says):
        planned(scenario, [measure], ["fedavg"], [0])


def flnft(monkeypatch, *words):
    """Run the program in this process; return its exit status."""
    monkeypatch.setattr("sys.argv", ["flnft", *words])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code or 0


def test_the_command_tells_a_program_and_a_person(monkeypatch, capsys):
    words = ["audit", "--riding", "tiny", "--seeds", "1", "--measures", "volume"]
    assert flnft(monkeypatch, *words, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["deviation"] for each in told] == [name for name in deviations(4) if name != "honest"]
    assert told[0]["ci95_low"] is None
    assert all(each["gain_money"] == pytest.approx(each["pay_money"] + each["saved_money"]) for each in told)


@pytest.mark.parametrize("option", [["--seeds", "0"], ["--measures", ","]])
def test_options_without_sense_are_refused(option, monkeypatch, capsys):
    assert flnft(monkeypatch, "audit", "--riding", "tiny", *option) == 2
    assert option[0] in capsys.readouterr().err
