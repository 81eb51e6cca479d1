"""The mechanism `sound` in time: who pays for what, and what becomes of it where somebody does not do its part."""

import numpy as np
import pytest

from flnft_sim import FlnftModel, load_scenario
from flnft_sim.agents.dao.contest import contest_terms
from flnft_sim.agents.mechanisms.evaluation import evaluated
from flnft_sim.agents.mechanisms.promises import promise_of
from flnft_sim.agents.reserve_book import TotalReserves
from flnft_sim.errors import InputError
from flnft_sim.game.contest import whole_contest
from flnft_sim.ledger import to_units
from flnft_sim.results.verify import verify_run
from flnft_sim.scenario import ScenarioError

QUICK = {
    "market.mechanism": "sound",
    "learning.learner": "surrogate",
    "learning.rounds": 3,
    "game.history_auctions": 3,
    "game.cost_price": 0.9,
}


def played(name="market", seed=None, **fields):
    overrides = QUICK | {"market.auctions": 1} if name == "market" else {}
    return _run(load_scenario(name, overrides=overrides | fields, seed=seed))


def _run(scenario):
    model = FlnftModel(scenario)
    model.run()
    return model


@pytest.fixture(scope="module")
def fair():
    """A market without failures."""
    return played(**{"market.reserve_money": 1000})


@pytest.fixture(scope="module")
def failing():
    """The scenario of all failures."""
    return played("sound-failing")


def units(table, column):
    return table[column].map(to_units)


def test_winners_share_the_target_and_members_get_all_of_it_for_what_was_promised(fair):
    result = fair.result()
    won = result.bids[result.bids["won"]]
    assert (result.deliveries["delivered"] == 1).all() and len(result.deliveries) == 4
    for pot in result.deliveries.to_dict("records"):
        paid = units(won[won["auction"] == pot["auction"]], "payment_money")
        assert paid.nunique() == 1 and len(paid) == pot["winners"]
        assert paid.sum() == to_units(pot["pot_money"]) == to_units(pot["released_money"])
        of_dao = result.users[result.users["dao"] == pot["dao"]]
        assert units(of_dao, "reward_received_money").sum() == paid.sum()
    target = result.promises.groupby("auction")["ask_money"].max()  # of two DAOs the dearer sets it
    assert result.deliveries.set_index("auction")["pot_money"].to_numpy() == pytest.approx(
        target[result.deliveries["auction"]].to_numpy(), abs=1e-4
    )


def test_losers_have_spent_nothing_and_whoever_works_keeps_cash(fair):
    result = fair.result()
    losers = set(result.promises["dao"]) - set(result.deliveries["dao"])
    assert losers and not set(result.users["dao"]) & losers
    by_user = result.users.groupby("user")[["reward_received_money", "cost_round_money"]].sum()
    assert (by_user["reward_received_money"] > by_user["cost_round_money"]).all()
    lost = result.bids[~result.bids["won"]]
    assert (lost["payment_money"] == 0).all()


def test_members_play_whole_epochs_that_keep_the_promise_and_nobody_would_rather_play_others(fair):
    users = fair.result().users
    mean = users.groupby(["dao", "round"])["local_epochs"].mean()
    assert (mean >= 5 - 0.2).all()  # the pot is the dearer DAO's ask, by what was known before
    assert users["exploitability"].max() < 1e-6


def test_an_ask_is_the_smallest_pot_that_keeps_the_promise_and_no_provider_moves_it():
    overrides = [QUICK | {"game.budget_money": each, "game.history_auctions": 0} for each in (2e3, 1)]
    rich, poor = (FlnftModel(load_scenario("market", overrides=each)) for each in overrides)
    for one, other in zip(rich.daos[:3], poor.daos[:3], strict=True):
        ask = rich.cast.mechanism.offers.total_ask(one, 5)[0]
        assert ask == poor.cast.mechanism.offers.total_ask(other, 5)[0]
        terms = contest_terms(one, one.expecting(5))
        enough, less = (whole_contest(pot, terms).epochs.sum() for pot in (ask, 0.99 * ask))
        assert enough >= 5 * len(one.members) > less


def test_a_value_is_worth_v_at_the_reference_and_less_at_the_cautious_promise():
    model = FlnftModel(load_scenario("market", overrides=QUICK))
    promise = promise_of(model.daos[:2], 5)
    assert promise.quality < promise.reference.quality and promise.freshness < promise.reference.freshness
    assert promise.worth(100.0, 0.4, promise.reference) == pytest.approx(100)
    assert 0 < promise.worth(100.0, 0.4, promise.model) < 100
    assert promise.delivered(promise.reference) == 1


def test_under_every_failure_all_money_is_there_and_refunds_are_exact(failing, tmp_path):
    result = failing.result()
    accounts, pots = failing.world.accounts, result.deliveries
    assert accounts.total() == sum(accounts.opening_balances.values())
    assert not any(held for address, held in accounts.balances.items() if "/" in address)
    whole = [units(pots, f"{each}_money") for each in ("released", "refunded", "sink")]
    assert (sum(whole) == units(pots, "pot_money")).all()
    unminted = pots[pots["minted_at_s"].isna()]
    assert (units(unminted, "refunded_money") == units(unminted, "pot_money")).all()
    assert (unminted["bond_lost_money"] == 10).all() and (pots["delivered"].between(0.01, 0.99)).any()
    result.save(tmp_path / "run", figures=False)
    verify_run(tmp_path / "run")


def test_a_pots_effort_is_what_its_mintings_rounds_cost(failing):
    result = failing.result()
    costs = result.users.groupby(["dao", "episode"])["cost_round_money"].sum()
    minted = result.deliveries[result.deliveries["minted_at_s"].notna()]
    assert minted["auction"].str[-1].nunique() > 1
    for pot in minted.to_dict("records"):
        assert pot["effort_money"] == pytest.approx(costs[pot["dao"], int(pot["auction"].rpartition("e")[2])])


def test_failures_are_told_apart(failing):
    """An idle DAO, a stalled chain, work that fell short, and work that was done, each with its own end."""
    pots = failing.result().deliveries.set_index("auction")
    assert (pots.loc[["category-0-e0", "category-0-e1", "category-0-e2"], "effort_money"] == 0).all()  # the idle one
    stalled = pots.loc["category-1-e0"]
    assert stalled["effort_money"] > 0 and np.isnan(stalled["minted_at_s"])
    short = pots[(pots["delivered"] > 0) & (pots["delivered"] < 1)].iloc[0]
    assert short["reason"].startswith("quality") and short["sink_money"] > 0 and short["released_money"] > 0
    assert (pots.loc[pots["delivered"] > 0, "test_sets"] == 2).all()  # the first was not opened
    committers = failing.result().accounts.query("role == 'committer'")["balance_money"]
    assert committers.max() - committers.min() == 10 * (pots["delivered"] > 0).sum()


def test_a_model_that_comes_too_late_is_paid_for_by_nobody():
    late = played(**{"market.reserve_money": 1000, "market.delivery_deadline_s": 8.0}).result()
    assert (late.deliveries["refunded_money"] == late.deliveries["pot_money"]).all()
    assert late.licences.empty and late.users["reward_received_money"].sum() == 0


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_evaluators_who_lie_do_not_move_the_median(fair, share):
    """Replicas say the most and winners nothing: both together are more, but they pull at different ends."""
    dao = fair.daos[0]
    object.__setattr__(dao.world.settings.failures, "lying_evaluators", share)
    for winners in (1, 5, 12):
        for seed in range(20):
            report, _ = evaluated(dao, winners, 0.7, 1, np.random.default_rng(seed))
            assert report.median == 0.7
    object.__setattr__(dao.world.settings.failures, "lying_evaluators", 0.0)


def test_enough_winners_who_all_lie_do_move_it(fair):
    """The limit of a median: more liars at one end than all others together."""
    dao = fair.daos[0]
    object.__setattr__(dao.world.settings.failures, "lying_evaluators", 1.0)
    assert evaluated(dao, 15, 0.7, 1, np.random.default_rng(0))[0].median < 0.7
    object.__setattr__(dao.world.settings.failures, "lying_evaluators", 0.0)


@pytest.mark.parametrize(("attestation", "pays"), [("arrival", True), ("loss-drop", False), ("enclave", False)])
def test_claiming_and_skipping_pays_only_where_nothing_is_checked(attestation, pays):
    """User 0 claims twenty epochs a round and trains one; what it keeps, beside the best of those who train."""
    small = {"population.users": 8, "population.daos": 1, "population.categories": 1, "market.reserve_money": 2000}
    result = played(**small, **{"game.attestation": attestation, "failures.skipping_users": 1}).result()
    users = result.users
    assert (users.loc[users["user"] == "user-0", "local_epochs"] == 1).all()
    kept = users.groupby("user")["reward_received_money"].sum() - users.groupby("user")["cost_round_money"].sum()
    assert (kept["user-0"] > kept.drop("user-0").max()) is np.bool_(pays)
    if attestation == "enclave":
        assert users.loc[users["user"] == "user-0", "reward_received_money"].sum() == 0
        anew = result.spans[(result.spans["agent"] == "dao-0") & (result.spans["phase"] == "training")]
        assert len(anew) == 1 and anew["duration_s"].iloc[0] > 0


def test_licences_bought_in_advance_are_resold_once_the_model_is_there():
    result = played(**{"market.reserve_money": 8000, "market.resale_share": 1.0, "game.cost_price": 5.0}).result()
    lost = result.bids[(~result.bids["won"]) & result.bids["auction"].isin(result.deliveries["auction"])]
    resold = result.licences[result.licences["seller"].str.startswith("provider")]
    assert 0 < len(resold) <= len(lost) and set(resold["holder"]) <= set(lost["provider"])
    assert result.accounts["balance_money_units"].sum() == result.summary["money_issued_units"]


def test_work_first_is_paid_in_full_or_not_at_all():
    sold = played(**{"market.reserve_money": 1000, "market.order": "postsale"}).result()
    assert (sold.deliveries["released_money"] == sold.deliveries["pot_money"]).all()
    losers = set(sold.promises["dao"]) - set(sold.deliveries["dao"])
    cost = sold.users[sold.users["dao"].isin(losers)]
    assert cost["cost_round_money"].sum() > 0 and cost["reward_received_money"].sum() == 0


def test_one_member_is_paid_its_cost_and_a_margin():
    fields = {"population.users": 2, "population.daos": 2, "population.categories": 1, "market.reserve_money": 1000}
    result = played(**fields).result()
    assert set(result.promises["reason"]) == {"one member, no contest: its cost and a margin"}
    assert (result.users["local_epochs"] == 5).all()
    pot = result.deliveries.iloc[0]
    assert pot["pot_money"] == pytest.approx(result.promises["ask_money"].max(), abs=1e-4)
    assert pot["effort_money"] == pytest.approx(
        pot["pot_money"] / 1.1, rel=0.15
    )  # as foreseen: norms come out otherwise


def test_daos_choose_the_promise_that_pots_make_worth_most_and_do_not_crowd_into_it():
    choosing = {"market.promise_spread": 2, "market.category_choice": "forecast", "market.auctions": 2}
    fields = choosing | {"population.users": 16, "population.daos": 4, "population.categories": 2}
    result = played(**fields, **{"market.reserve_money": 1500}).result()
    assert result.promises["promised_epochs"].nunique() > 1
    sellers = result.promises.groupby("auction")["dao"].nunique()
    assert sellers.max() < 4
    known = result.promises[~result.promises["auction"].str.endswith("e0")]
    assert known["foreseen_pot_money"].notna().all()


def test_a_reserve_learns_nothing_from_who_takes_part():
    reserves = TotalReserves(None, 50.0)
    assert reserves.money({"dao-0", "a"}) == 50
    reserves.learn({"dao-0", "a"}, [140.0])
    assert reserves.money({"dao-0", "b"}) == reserves.money({"dao-1", "a"}) == 50
    assert reserves.money({"dao-1", "b"}) == 140
    reserves = TotalReserves(None, 50.0)
    reserves.learn({"dao-0", "a"}, [300.0], epochs=3)
    assert reserves.money({"dao-1", "b"}, epochs=5) == 500  # who promises more may ask more


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"market.rule": "vcg"}, "rule = vcg"),
        ({"market.mechanism": "paper", "market.rule": "cost-sharing"}, "rule = cost-sharing"),
        ({"game.score_epochs_exponent": 0.9, "game.score_privacy_exponent": 0.2}, r"\(a \+ b\) is 1.1"),
        ({"market.promised_epochs": 21}, "above game.epochs_max = 20"),
        ({"market.promise_spread": 5}, "down to 0 epochs"),
        ({"market.reserve_money": 0}, "every pot would be 0"),
        ({"learning.dataset": "synthetic", "learning.learner": "real"}, "Q_ref"),
        ({"learning.scheme": "loss"}, "asks users nothing"),
    ],
)
def test_what_cannot_be_promised_is_refused_in_one_sentence(fields, said):
    with pytest.raises(ScenarioError, match=said) as caught:
        load_scenario("market", overrides=QUICK | fields)
    assert "\n" not in str(caught.value)


def test_a_deadline_before_any_minting_could_end_is_refused():
    with pytest.raises(InputError, match=r"market\.delivery_deadline_s = 0\.5"):
        played(**{"market.delivery_deadline_s": 0.5})


def test_named_alone_the_mechanism_brings_a_rule_that_fits():
    assert load_scenario("market", overrides={"market.mechanism": "sound"}).market.rule == "cost-sharing"
