"""The market as an environment: PettingZoo's and Gymnasium's own checks, and that it is the real market."""

import re
import runpy
import sys

import numpy as np
import pytest

from flnft_sim import run
from flnft_sim.errors import InputError
from flnft_sim.scenario import load_scenario
from flnft_sim.simulation import FlnftModel

pytest.importorskip("pettingzoo", reason="pip install 'flnft-sim[rl]' for environments")
env_checker = pytest.importorskip("gymnasium.utils.env_checker")

from pettingzoo.test import parallel_api_test, parallel_seed_test  # noqa: E402

from flnft_sim.env import market_env, one_agent_env  # noqa: E402
from flnft_sim.env.asking import Asking  # noqa: E402
from flnft_sim.env.views import PROVIDER, USER  # noqa: E402

QUICK = {
    "population.daos": 2,
    "population.providers": 5,
    "market.auctions": 2,
    "game.history_auctions": 1,
    "learning.learner": "surrogate",
    "learning.rounds": 2,
}


@pytest.fixture(scope="module")
def quick():
    return load_scenario("tiny", overrides=QUICK)


@pytest.mark.parametrize("per", ["auction", "round"])
@pytest.mark.parametrize("agents", ["providers", "users", "both"])
def test_it_passes_pettingzoos_checks(quick, agents, per):
    parallel_api_test(market_env(quick, agents=agents, per=per), num_cycles=5)
    parallel_seed_test(lambda: market_env(quick, agents=agents, per=per), num_cycles=3)


@pytest.mark.parametrize("reward", ["cash", "utility"])
@pytest.mark.parametrize("agent", ["provider-0", "user-0"])
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_one_agent_passes_gymnasiums_checks(quick, agent, reward):
    env_checker.check_env(one_agent_env(quick, agent, reward=reward))


def test_by_the_book_it_is_the_run_that_the_scenario_makes(quick):
    """A learner that bids what it would bid anyway changes nothing: the same ledger, block by block."""
    model = FlnftModel(quick)
    asking = model.world.policy = Asking(model, ["provider-1"], every_round=False)
    provider = model.providers[1]
    while not model.finished:
        model.advance(lambda: bool(asking.questions))
        for [question] in asking.questions.values():
            honest = question.view[PROVIDER.index(PROVIDER[2])] * provider.base_valuation_money
            question.answered.succeed([honest / (2 * provider.valuation_money)])
        asking.questions = {}
    bids = run(quick).bids.set_index(["auction", "provider"])
    mine = model.result().bids.set_index(["auction", "provider"])
    np.testing.assert_allclose(mine["total_money"], bids["total_money"], rtol=1e-6)
    assert mine["won"].equals(bids["won"])


def played(env, act, seed=4):
    """All rewards by agent, and the model, after a market in which everybody acts by `act(name, view)`."""
    views, _ = env.reset(seed=seed)
    total = dict.fromkeys(env.agents, 0.0)
    while env.agents:
        views, rewards, *_ = env.step({name: act(name, views[name]) for name in env.agents})
        total = {name: total[name] + reward for name, reward in rewards.items()}
    return total, env.model


def test_cash_rewards_are_the_money_of_the_run(quick):
    total, model = played(market_env(quick, agents="both"), lambda name, _: np.full(1 + name.startswith("user"), 0.4))
    result = model.result()
    bids = result.bids[result.bids["status"] != "replaced"]
    for provider, cash in bids.groupby("provider")["cash_money"].sum().items():
        assert total[provider] == pytest.approx(cash)
    for user, rows in result.users.groupby("user"):
        assert total[user] == pytest.approx((rows["reward_received_money"] - rows["cost_round_money"]).sum(), abs=1e-5)
    assert any(total[name] for name in total if name.startswith("user"))


def test_what_users_choose_is_what_they_do(quick):
    """0 stays away; 1 trains as long as may be, at the highest ε."""
    env = market_env(quick, agents="users", per="round")
    lazy = env.possible_agents[0]
    _, model = played(env, lambda name, _: np.zeros(2) if name == lazy else np.ones(2))
    users = model.result().users
    assert not users.loc[users["user"] == lazy, "local_epochs"].any()
    others = users[users["user"] != lazy]
    assert (others["local_epochs"] == quick.game.epochs_max).all()
    assert (others["privacy_budget"] == quick.game.privacy_range[1]).all()


def test_what_providers_insist_on_is_what_they_announce_and_bid(quick):
    """Who insists on nothing in every round bids nothing; who insists on more pays users more."""
    env = market_env(quick, agents="providers", per="round")
    silent = env.possible_agents[2]
    _, model = played(env, lambda name, _: np.full(2, 0.0 if name == silent else 0.2))
    bids = model.result().bids
    assert (bids.loc[bids["provider"] == silent, "total_money"] == 0).all()
    assert (bids.loc[bids["provider"] != silent, "total_money"] > 0).all()
    rewards = [
        played(env, lambda *_, share=share: np.full(2, share))[1].result().rounds["reward_announced_money"].mean()
        for share in (0.05, 0.2)
    ]
    assert rewards[0] < rewards[1]


def test_views_are_finite_of_the_named_numbers_and_tell_no_rivals_valuation(quick):
    env = market_env(quick, agents="both")
    views, infos = env.reset(seed=1)
    assert {len(view) for view in views.values()} == {len(PROVIDER), len(USER)}
    assert all(np.isfinite(view).all() for view in views.values())
    assert any(info["asked"] for info in infos.values()) and not all(info["asked"] for info in infos.values())


@pytest.mark.parametrize("action", [None, [0.1, 0.2, 0.3], [np.nan]])
def test_an_action_that_is_none_is_one_sentence(quick, action):
    env = one_agent_env(quick)
    env.reset(seed=0)
    with pytest.raises(InputError, match="give 1 numbers between 0 and 1"):
        env.step(action)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"agents": "nobody"}, "choose one of providers, users, both"),
        ({"per": "day"}, "choose one of auction, round"),
        ({"reward": "fame"}, "choose one of cash, utility"),
        ({"learners": ["provider-9"]}, "unknown agent 'provider-9'"),
    ],
)
def test_what_cannot_be_is_told(quick, arguments, told):
    with pytest.raises(InputError, match=told):
        market_env(quick, **arguments)


def test_a_market_that_is_over_takes_no_step(quick):
    env = market_env(quick)
    played(env, lambda *_: np.zeros(1))
    with pytest.raises(InputError, match=r"reset\(\) begins another"):
        env.step({})


def test_a_scheme_that_asks_nobody_is_refused():
    scenario = load_scenario("tiny", overrides={"learning.scheme": "random"})
    with pytest.raises(InputError, match="use pms-am"):
        market_env(scenario, agents="users")


def test_another_mechanism_than_the_papers_is_refused():
    scenario = load_scenario("sound-market")
    assert scenario.market.mechanism == "sound"
    with pytest.raises(InputError, match=r"market\.mechanism = sound: agents learn in the mechanism paper alone"):
        market_env(scenario)


def test_the_pages_example_works(root):
    page = (root / "docs/learning-agents.md").read_text(encoding="utf-8")
    [example] = re.findall(r"^```python\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    exec(compile(example, "learning-agents.md", "exec"), {})


def test_the_learning_bidder_learns_and_is_set_beside_the_audit(root, monkeypatch, capsys):
    bidder = runpy.run_path(str(root / "examples/learning_bidder.py"))
    bidder["SETTINGS"].update({"market.auctions": 2, "game.history_auctions": 1})
    words = ["learning_bidder.py", "--generations", "1", "--markets", "1", "--rules", "pms-am"]
    monkeypatch.setattr(sys, "argv", words)
    bidder["main"]()
    [heading, line] = capsys.readouterr().out.splitlines()
    assert heading.split()[:2] == ["rule", "by"] and line.startswith("pms-am")
    honest, found, gain, audit = map(float, line.split()[1:5])
    assert gain == pytest.approx(found - honest, abs=0.11) and audit >= 0
