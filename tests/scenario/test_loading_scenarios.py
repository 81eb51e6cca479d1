"""Scenarios are read strictly: every fault at once, each with its place, value and remedy."""

import numpy as np
import pytest
import yaml

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.scenario import (
    Scenario,
    ScenarioError,
    describe_fields,
    fields_markdown,
    find_scenario,
    load_scenario,
    parse_settings,
    scenario_names,
    with_fields,
)


def written(folder, name, **fields):
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(fields))
    return path


@pytest.mark.parametrize("name", scenario_names())
def test_every_shipped_scenario_loads_and_says_what_it_is(name):
    scenario = load_scenario(name)
    assert scenario.name == name
    assert len(scenario.description) > 20


def test_all_faults_are_named_at_once_with_file_field_value_and_range(tmp_path):
    path = written(
        tmp_path,
        "bad",
        population={"users": 0, "userz": 3},
        game={"sigma": 1, "budget_money": -5, "privacy_range": [5, 1]},
        market={"rule": "mcafe"},
    )
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 6
    assert all(line.startswith(str(path)) for line in lines)
    text = str(caught.value)
    assert "population.users = 0" in text and "at least 1" in text
    assert "unknown field 'population.userz', did you mean 'users'?" in text
    assert "game.sigma = 1" in text and "above 0, below 1" in text
    assert "game.budget_money = -5" in text
    assert "game.privacy_range = [5, 1]: the range is reversed; write [1, 5]" in text
    assert "unknown clearing rule 'mcafe', did you mean 'mcafee'?" in text


def test_a_fault_in_what_is_extended_is_blamed_on_the_file_it_is_in(tmp_path):
    base = written(tmp_path, "base", game={"sigma": 3})
    top = written(tmp_path, "top", extends="base", market={"auctions": 0})
    with pytest.raises(ScenarioError) as caught:
        load_scenario(top)
    first, second = sorted(str(caught.value).splitlines())
    assert first.startswith(f"{base}: game.sigma") and second.startswith(f"{top}: market.auctions")


def test_extending_merges_sections_and_the_user_has_the_last_word(tmp_path):
    written(tmp_path, "base", game={"sigma": 0.3, "mu0": 4.0}, description="a base")
    top = written(tmp_path, "top", extends="base", game={"sigma": 0.4})
    scenario = load_scenario(top, overrides={"game.mu1": 7}, seed=9)
    assert (scenario.game.sigma, scenario.game.mu0, scenario.game.mu1) == (0.4, 4.0, 7.0)
    assert (scenario.name, scenario.seed, scenario.description) == ("top", 9, "")


def test_a_circle_of_extending_files_is_an_error(tmp_path):
    written(tmp_path, "one", extends="two")
    path = written(tmp_path, "two", extends="one")
    with pytest.raises(ScenarioError, match="extends itself"):
        load_scenario(path)


@pytest.mark.parametrize("text", ["a: [1", "- just\n- a list", "\x00"])
def test_what_is_no_scenario_file_is_one_sentence(tmp_path, text):
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_unknown_names_suggest_the_closest():
    with pytest.raises(UnknownNameError, match="did you mean 'roblox10'"):
        load_scenario("roblox")
    with pytest.raises(ScenarioError, match="does not exist"):
        load_scenario("no/such/file.yaml")


def test_settings_are_yaml_values():
    assert parse_settings(["a.b=3", "c= [1, 2]", "d=", "e=x=y"]) == {"a.b": 3, "c": [1, 2], "d": None, "e": "x=y"}
    assert parse_settings(["a=1e-3"]) == {"a": 0.001}
    with pytest.raises(InputError, match="no '='"):
        parse_settings(["game.sigma"])
    with pytest.raises(InputError, match=r"--set game: the key 'sigma' stands twice"):
        parse_settings(["game={sigma: 0.4, sigma: 0.5}"])


@pytest.mark.parametrize("second", ["game.sigma=0.5", "game={sigma: 0.5}", "game={mu0: 1, sigma: 0.4}"])
def test_a_field_that_is_set_twice_is_an_error(second):
    with pytest.raises(InputError, match=r"game\.sigma is given twice"):
        parse_settings(["game.sigma=0.4", second])
    assert parse_settings(["game.sigma=0.4", "game={mu0: 1}"]) == {"game.sigma": 0.4, "game": {"mu0": 1}}


def test_a_section_that_is_set_merges_as_one_in_a_file_does(tmp_path):
    top = written(tmp_path, "tiny", extends=str(find_scenario("tiny").resolve()), game={"belief": {"states": 3}})
    by_file = load_scenario(top)
    by_setting = load_scenario("tiny", overrides=parse_settings(["game={belief: {states: 3}}"]))
    by_fields = with_fields(load_scenario("tiny"), {"game": {"belief": {"states": 3}}})
    unlike = {"description": ""}
    assert by_setting.model_copy(update=unlike) == by_fields.model_copy(update=unlike)
    assert by_setting.model_copy(update=unlike) == by_file
    assert by_setting.game.history_auctions == load_scenario("tiny").game.history_auctions
    assert by_setting.game.belief.states == 3


def test_a_key_that_stands_twice_loses_nothing_but_is_refused(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("extends: tiny\nlearning:\n  rounds: 7\nlearning:\n  learner: surrogate\n")
    with pytest.raises(ScenarioError, match="'learning' stands twice, on line 2 and on line 4"):
        load_scenario(path)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("seed=true", "whole number, not true or false"),
        ("seed='4'", "whole number, not text"),
        ("seed=010", "begins with a zero"),
        ("seed=-1", "at least 0"),
        ("seed=1.5", "whole number"),
        ("seed=9007199254740992", "at most 9,007,199,254,740,991"),
        ("population.users=yes", "whole number, not text"),
        ("population.users=1:30", "whole number, not text"),
        ("market.clock_s=1:30", "a number, not text"),
        ("market.reserve_money=false", "a number, not true or false"),
        ("radio.rayleigh=yes", "true or false"),
        ("radio.rayleigh=1", "true or false"),
        ("game.privacy_range=[true, 5]", "a number, not true or false"),
        ("game.privacy_range=3", "should be a list"),
        ("learning.partition.sizes=['3']", "whole number, not text"),
        ("game=", "should be a section"),
        ("description=7", "quotation marks"),
        ("game.sigma=1e999", "finite"),
        ("population.users.x=1", "a value, not a section"),
    ],
)
def test_values_are_taken_as_they_are_written(setting, words):
    with pytest.raises(ScenarioError) as caught:
        load_scenario("tiny", overrides=parse_settings([setting]))
    assert words in str(caught.value)


def test_numbers_may_be_written_in_every_way_that_says_the_same():
    settings = ["learning.rounds=1e1", "population.users=0b100", "learning.sensitivity=1e-3", "game.mu0=1_000"]
    scenario = load_scenario("tiny", overrides=parse_settings(settings))
    assert (scenario.learning.rounds, scenario.population.users) == (10, 4)
    assert (scenario.learning.sensitivity, scenario.game.mu0) == (0.001, 1000.0)
    scenario = with_fields(scenario, {"population.users": np.int64(5), "game.privacy_range": np.array([1.0, 2.0])})
    assert (scenario.population.users, scenario.game.privacy_range) == (5, (1.0, 2.0))


@pytest.mark.parametrize("word", ["none", "None", "null", "~", ""])
def test_a_field_that_may_be_left_out_takes_the_word_that_the_table_prints(word):
    overrides = parse_settings([f"game.valuation_money={word}", "learning.perturb=none"])
    scenario = load_scenario("tiny", overrides=overrides)
    assert scenario.game.valuation_money is None and scenario.learning.perturb == "none"


@pytest.mark.parametrize(
    ("file", "name"), [("my scenario.yaml", "my-scenario"), ("Größe 2.yml", "Gr-e-2"), (".x.yaml", "_x")]
)
def test_a_file_without_a_name_lends_its_own_where_a_name_can_hold_it(tmp_path, file, name):
    path = tmp_path / file
    path.write_text("extends: tiny")
    assert load_scenario(path).name == name


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", "x" * 101, "a b"])
def test_a_name_is_fit_for_a_folder(name):
    with pytest.raises(ScenarioError, match="letters, digits, dots"):
        load_scenario("tiny", overrides={"name": name})


def test_a_long_chain_of_files_is_refused_and_a_short_one_is_not(tmp_path):
    for number in range(60):
        written(tmp_path, f"f{number}", **({"extends": f"f{number + 1}"} if number < 59 else {"extends": "tiny"}))
    assert load_scenario(tmp_path / "f15.yaml").name == "f15"
    with pytest.raises(ScenarioError, match="chain of more than 50"):
        load_scenario(tmp_path / "f0.yaml")


@pytest.mark.parametrize("parent", [["tiny"], True, 3, "no/such", "x\0y", "y" * 5000, "no.yaml", "."])
def test_what_cannot_be_extended_is_one_sentence(tmp_path, parent):
    with pytest.raises(InputError) as caught:
        load_scenario(written(tmp_path, "top", extends=parent))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


def test_thousands_of_faults_are_told_briefly(tmp_path):
    path = written(tmp_path, "many", **{f"field{number}" * 20: "x" * 250 for number in range(2000)})
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert "1,970 more such faults" in str(caught.value) and len(str(caught.value)) < 20_000


@pytest.mark.parametrize(
    "fields",
    [
        {"game.budget_money": 1e13},
        {"game.budget_money": 9e8, "population.providers": 11},
        {"game.budget_money": 9e8, "market.auctions": 11},
        {"market.auctioneer_money": 9.1e9},
        {"market.reserve_money": 1e10},
        {"market.reserve_prior_money": 1e300},
        {"game.valuation_money": 1e9, "game.demand.factors": [10.0]},
        {"game.valuation_money": 1e9, "game.demand.noise": 0.5},
    ],
)
def test_money_that_a_ledger_could_not_count_exactly_is_refused_at_loading(fields):
    with pytest.raises(ScenarioError, match="at most 9,007,199,254"):
        load_scenario("tiny", overrides=fields)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"population.users": 3, "private_ledger.crashed": 1}, "4 replicas"),
        ({"population.daos": 20}, "needs a member"),
        ({"population.users": 11}, "ten points"),
        ({"population.categories": 2}, "nobody would sell"),
        ({"failures.overspenders": 6}, "overspenders"),
        ({"game.elasticity_spread": 0.49, "game.quality_elasticity": 0.6}, "inside"),
        ({"game.demand.factors": [1, 0]}, "each from 1e-06"),
        ({"public_chain.gas_limit": 20_000}, "21000"),
        ({"radio.bandwidth_mhz": 0}, "at least 0.001"),
        ({"radio.area_m": [0, 0]}, "both from 1 to 100000"),
        ({"game.privacy_range": [1e-30, 1]}, "both from 1e-06 to 1e"),
        ({"market.rebid_step": 0}, "above 0, below 1"),
        ({"market.rebid_step": 1}, "above 0, below 1"),
        ({"population.daos": 4, "population.categories": 4, "population.providers": 3}, "nobody would buy category 3"),
        ({"game.decision_step_s": 0.001, "game.decision_period_s": 100}, "10,000 exchanges"),
        ({"public_chain.propagation_s": 131}, "hardly any block would last"),
        ({"public_chain.load_tx_per_s": 12.0}, "12. must be below the 11.96 transactions a second"),
        ({"public_chain.load_tx_per_s": 1.0, "public_chain.gas_limit": 49_999}, "50000 gas of other"),
        ({"public_chain.load_tx_per_s": 10.0, "public_chain.stall_for_s": 1e6}, "1e.07 transactions of other people"),
        ({"public_chain.stall_at_s": 0, "public_chain.stall_for_s": 9e8}, "exceeds timeline.longest_s"),
        ({"learning.partition.kind": "sizes"}, "needs sizes"),
        ({"population.crowd_from": 5}, "cross_talk"),
        ({"population.crowd_from": 5, "radio.cross_talk": 0, "devices.hosting": "single-host"}, "hosting"),
        ({"population.crowd_from": 5, "radio.cross_talk": 0, "failures.link_failure_rate": 0.1}, "do not fail"),
        ({"population.crowd_from": 5, "radio.cross_talk": 0}, "surrogate"),
    ],
)
def test_rules_between_fields(fields, words):
    with pytest.raises(ScenarioError, match=words):
        load_scenario("roblox10", overrides=fields)


def test_with_fields_checks_anew_and_leaves_the_original_alone():
    scenario = load_scenario("tiny")
    assert with_fields(scenario, {"game.sigma": 0.7}).game.sigma == 0.7
    assert scenario.game.sigma == 0.5
    with pytest.raises(ScenarioError, match="did you mean 'sigma'"):
        with_fields(scenario, {"game.sigmaa": 0.7})


def test_a_resolved_scenario_reads_back_to_itself():
    scenario = load_scenario("byzantine")
    assert Scenario.model_validate(scenario.model_dump(mode="json")) == scenario


def test_every_field_has_a_meaning_and_the_page_holds_them_all(root):
    rows = describe_fields()
    assert len(rows) > 100 and all(row["meaning"] for row in rows)
    page = (root / "docs/scenarios.md").read_text(encoding="utf-8")
    assert page == fields_markdown(), "run: flnft scenarios describe --markdown > docs/scenarios.md"


def test_one_section_can_be_described_alone():
    assert all(row["field"].startswith("radio.") for row in describe_fields("radio"))
    with pytest.raises(UnknownNameError, match="did you mean 'radio'"):
        describe_fields("radios")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"dataset": "synthetic"}, "has no curve for synthetic/mlp, only for digits/mlp, digits/cnn, "),
        ({"learning_rate": 10.0}, "knows nothing of learning_rate = 10, it was fitted to 0.01"),
        ({"momentum": 0.9}, "knows nothing of momentum = 0.9, it was fitted to 0.5"),
        ({"partition.kind": "dirichlet"}, "knows nothing of partition.kind = dirichlet, it was fitted to iid"),
        ({"aggregator": "fedadp"}, "knows nothing of aggregator = fedadp, it was fitted to fedavg"),
        ({"perturb": "step"}, "knows nothing of perturb = step, it was fitted to update or none"),
        ({"clip_l1": 1.0}, "knows nothing of clip_l1 = 1, it was fitted to none"),
        ({"dropout": 0.5}, "knows nothing of dropout = 0.5, it was fitted to 0"),
    ],
)
def test_the_surrogate_refuses_what_its_curves_say_nothing_about(fields, sentence):
    overrides = {f"learning.{name}": value for name, value in fields.items()}
    with pytest.raises(ScenarioError) as caught:
        load_scenario("tiny", overrides=overrides | {"learning.learner": "surrogate"})
    assert str(caught.value).startswith("--set: learning: learner surrogate ")
    assert sentence in str(caught.value)
    assert str(caught.value).endswith("; change that, or use learner real")
    assert len(str(caught.value).splitlines()) == 1
    load_scenario("tiny", overrides=overrides)  # real training takes it all


def test_the_surrogate_names_everything_it_knows_nothing_about():
    fields = {"learning.learner": "surrogate", "learning.learning_rate": 0.1, "learning.momentum": 0.0}
    with pytest.raises(ScenarioError, match=r"learning_rate = 0\.1.*; .*momentum = 0,"):
        load_scenario("tiny", overrides=fields)


def test_krum_is_refused_where_too_few_are_honest():
    """n < 2f + 3 updates cannot be told apart; seven users bear two adversaries."""
    krum = {"learning.aggregator": "krum", "learning.byzantine_share": 0.3}
    load_scenario("roblox10", overrides=krum | {"population.users": 9})
    with pytest.raises(ScenarioError, match=r"may be adversaries .* it needs at least 7, and a DAO here has 6"):
        load_scenario("roblox10", overrides=krum | {"population.users": 6, "learning.byzantine_share": 0.4})
