"""The summary's first five lines say what happened, and its details what holds; told of runs whose facts are known."""

import numpy as np
import pytest

from flnft_sim import FlnftModel, load_scenario, run
from flnft_sim.results import summary_text

QUICK = {"learning.learner": "surrogate", "game.history_auctions": 8}


def told(name="tiny", **fields):
    """A quick run and the lines of its page, one sentence or fact each."""
    result = run(load_scenario(name, overrides=QUICK | {key.replace("__", "."): v for key, v in fields.items()}))
    return result, lines(result)


def lines(result):
    text = summary_text(result)
    assert max(map(len, text.splitlines())) <= 100
    return text.splitlines()


def fact(page, label):
    """What stands behind a label, its continuation lines included."""
    start = next(number for number, line in enumerate(page) if line.startswith(f"  {label:<22}"))
    rest = (line for line in page[start + 1 :])
    more = []
    for line in rest:
        if not line.startswith(" " * 24):
            break
        more.append(line.strip())
    return " ".join([page[start][24:].strip(), *more])


def test_five_lines_tell_what_happened():
    result, page = told()
    story, auction = page[:5], result.auctions.iloc[0]
    assert page[5] == ""
    assert story[0] == "tiny, seed 0: 4 users, 3 providers, 1 DAO"
    assert f"{100 * result.rounds['accuracy'].iloc[-1]:.2f} % after 3 rounds" in story[1]
    assert f"Minted {result.spans.query('phase == "minting"')['end_s'].max():,.1f} s after the start" in story[2]
    winners = result.bids[result.bids["won"]]
    price = f"{winners['payment_money'].iloc[0]:,.2f}"
    assert (
        f"Sold to {len(winners)} of {auction['bidders']} bidders at {price} money each, set by the reserve" in story[3]
    )
    received = result.accounts.loc[result.accounts["role"] == "user", "balance_money"].sum()
    assert received == pytest.approx(result.users["reward_received_money"].sum())
    lost = result.users["cost_round_money"].sum() - received
    assert lost > 0
    assert f"Users lost {lost:,.2f} (received − cost)" in story[4]
    assert f"providers gained {(winners['valuation_money'] - winners['payment_money']).sum():,.2f}" in story[4]


def test_users_gain_where_work_costs_next_to_nothing():
    result, page = told(game__cost_price=1e-6)
    gain = result.users["reward_received_money"].sum() - result.users["cost_round_money"].sum()
    assert gain > 0
    assert f"Users gained {gain:,.2f}" in page[4]


def test_a_market_without_a_trade_says_why():
    result, page = told(market__reserve_money=1e6, market__rebids_max=0)
    assert not result.auctions["winners"].any()
    assert page[3].startswith("Not sold in 1 auction: ")
    assert result.auctions["reason"].iloc[0] in page[3]


def test_winners_who_pay_different_prices_are_told_from_to():
    """Cheap asks, so that several win, each at its own bid."""
    result, page = told(market__rule="first-price", market__ask_fraction=0.1)
    paid = result.bids.loc[result.bids["won"], "total_money"]
    assert len(paid) > 1
    assert f"at {paid.min():,.2f} to {paid.max():,.2f} money each, set by each winner's own bid" in page[3]
    assert f"price {paid.min():,.2f} to {paid.max():,.2f}, set by each winner's own bid" in "\n".join(page)


def test_what_a_minting_brings_users_is_not_summed_over_mintings():
    result, page = told(market__auctions=2, learning__rounds=1)
    received = result.users["reward_received_money"].sum() / (4 * 2)  # four users, two mintings
    assert f"received {received:,.2f} money (means of a minting)" in fact(page, "user reward")


def test_nobody_to_sell_to():
    _, page = told(failures__withdrawing_daos=1)
    assert page[3].startswith("No auction was held: ")
    assert "dao-0 withdrew" in "\n".join(page)


def test_many_models_and_auctions_are_counted():
    result, page = told("market", market__auctions=3, learning__rounds=1)
    assert len(result.auctions) == 12
    assert "in 24 models" in page[1] and page[2].startswith("24 models minted, ")
    sold, traded = int(result.auctions["winners"].sum()), int((result.auctions["winners"] > 0).sum())
    assert page[3].startswith(f"Sold {sold} licences in {traded} of 12 auctions at ")
    assert sum(line.startswith("  category-") for line in page) == 0  # counted, not listed one by one
    assert fact(page, "auctions").startswith(f"12 by pms-am, {traded} with a trade")


@pytest.mark.parametrize("minutes", [0, 1])
def test_an_interrupted_run_is_told_as_far_as_it_came(minutes):
    model = FlnftModel(load_scenario("tiny", overrides=QUICK))
    model.env.run(until=1e-6 + 4.0 * minutes)  # the second round is under way after four seconds
    page = lines(model.result(status="interrupted"))
    assert "interrupted: what follows is as far as it came" in page[0]
    assert page[1].startswith("Accuracy" if minutes else "No round was finished")
    assert page[2] == "No model was minted."
    assert page[3] == "No auction was held."


def test_a_crowd_keeps_no_costs_of_earlier_rounds_and_says_so():
    crowd = {"population.crowd_from": 4, "radio.cross_talk": 0.0, "learning.rounds": 2}
    result = run(load_scenario("tiny", overrides=QUICK | crowd))
    assert result.users["round"].nunique() == 1
    received = result.accounts.loc[result.accounts["role"] == "user", "balance_money"].sum()
    page = lines(result)
    assert page[4].startswith(f"Users received {received:,.2f}, ")
    assert fact(page, "users").endswith("their work cost unknown")


# ---- decisions that T ended -----------------------------------------------------------------------------------------


def test_a_decision_that_settles_is_not_said_to_be_stopped():
    result, page = told(game__decision_tolerance=0.5)
    assert result.rounds["decision_settled"].all()
    assert "stopped by T" not in "\n".join(page)


def test_a_decision_that_t_ends_is_said_to_be_stopped():
    result, page = told(game__decision_period_s=1.0, game__decision_tolerance=1e-12)
    assert (result.rounds["iterations"] == 2).all() and not result.rounds["decision_settled"].any()
    assert fact(page, "unsettled prices").startswith("decision stopped by T in 3 of 3 rounds")


def test_the_flag_is_the_gap_against_the_tolerance():
    result, _ = told(game__damping=0.3, game__decision_tolerance=0.01, game__decision_period_s=5.0)
    np.testing.assert_array_equal(result.rounds["decision_settled"], result.rounds["decision_gap"] <= 0.01)


def test_a_scheme_that_does_not_play_holds_no_decision():
    result, page = told(learning__scheme="random")
    assert result.rounds["decision_settled"].isna().all()
    assert "stopped by T" not in "\n".join(page)


# ---- ends of ranges --------------------------------------------------------------------------------------------------


def test_answers_at_an_end_of_their_range_are_counted():
    result, page = told()
    answers = len(result.users)
    assert (result.users["privacy_budget"] == 5.0).all()
    assert f"at the upper end of its range in {answers} of {answers} answers" in fact(page, "ε asked for")
    # A range that begins above what anybody would choose is answered at its other end.
    free, _ = told(game__privacy_range=[1e-3, 1e6])
    least = 2 * free.users["privacy_budget"].max()
    result, page = told(game__privacy_range=[least, 10 * least])
    answers = result.users.loc[result.users["takes_part"], "privacy_budget"]
    assert len(answers) and (answers == least).all()
    assert f"at the lower end of its range in {len(answers)} of {len(answers)} answers" in fact(page, "ε asked for")


def test_answers_inside_their_range_are_not_said_to_be_at_an_end():
    result, page = told(game__privacy_range=[1e-3, 1e6])
    assert result.users["privacy_budget"].between(1.01e-3, 0.99e6).all()
    assert "end of its range" not in fact(page, "ε asked for")


def test_one_k_for_all_is_said():
    result, page = told(game__epochs_max=1)
    assert fact(page, "local epochs k") == f"1 in all {len(result.users)} answers"


# ---- a surrogate outside its fit -------------------------------------------------------------------------------------


def test_a_surrogate_outside_its_fit_says_where():
    """Four equal users asked for ε = 5 at Δf = 50: the mean's noise deviates by 10·√(2/4)."""
    result, page = told(learning__sensitivity=50.0)
    assert (result.users["privacy_budget"] == 5.0).all()
    outside = f"noise deviation of the aggregate {10 * np.sqrt(2 / 4):.3g} (fitted 0 to "
    assert outside in result.summary["engine"]
    assert outside in fact(page, "engine")


def test_what_any_dao_does_outside_the_fit_is_told():
    result, _ = told(population__users=7, population__daos=2, learning__rounds=1)
    assert "users a round 3 (fitted 5 to " in result.summary["engine"]  # the first DAO has four members


def test_pooled_training_is_said_to_be_outside_the_fit():
    assert "pools the data" in fact(told(learning__scheme="centralized")[1], "engine")


# ---- what holds of privacy -------------------------------------------------------------------------------------------

REAL = {"learning.learner": "real", "learning.rounds": 2, "game.history_auctions": 8}


def guarantee(**fields):
    result = run(load_scenario("tiny", overrides=REAL | {key.replace("__", "."): v for key, v in fields.items()}))
    return result, fact(lines(result), "privacy guarantee")


def test_without_clipping_no_privacy_is_guaranteed():
    _, said = guarantee()
    assert said.startswith("none (updates are not clipped")


def test_with_clipping_the_guarantee_is_the_sum_and_no_more():
    result, said = guarantee(learning__clip_l1=10.0)
    total = result.users.groupby("user")["privacy_budget"].sum().max()
    tight = result.privacy["epsilon_total_tight"].max()
    assert tight <= total
    assert f"ε {result.users['privacy_budget'].max():,.2f} a round" in said
    assert f"{total:,.2f} by basic composition, {tight:,.2f} by tight composition at δ = 1e-05" in said


def test_a_guarantee_of_several_mintings_is_said_to_be_of_the_last():
    result, said = guarantee(learning__clip_l1=10.0, market__auctions=2, learning__rounds=1)
    assert (result.privacy["rounds"] == 1).all()
    assert said.endswith("of the last minting of 2, each adds its own")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"learning__scheme": "centralized"}, "none (all data lie in one place)"),
        ({"learning__perturb": "none"}, "none (no noise is added)"),
        ({"learning__learner": "surrogate"}, "none (nothing is trained, so no update is released)"),
    ],
)
def test_why_there_is_no_guarantee(fields, reason):
    assert guarantee(**fields)[1] == reason


def test_epsilon_is_never_shown_without_what_it_guarantees():
    for page in (told()[1], told(learning__scheme="random")[1]):
        place = next(number for number, line in enumerate(page) if line.startswith("  ε asked for"))
        assert page[place + 1].startswith("  privacy guarantee")
