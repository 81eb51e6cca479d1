"""The market without a clock: what full information plays, what is paired, what instability looks like."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim.experiments.belief_market import TrialMarket, play_market, score_kinds, trial_market
from flnft_sim.experiments.belief_scores import best_response_utility, log_loss, mean_bids, score_beliefs
from flnft_sim.game import BELIEFS, provider_equilibrium, provider_utility, rival_sums
from flnft_sim.game.beliefs import BidBelief, Part
from flnft_sim.game.density import density
from flnft_sim.scenario import load_scenario

pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")  # hmmlearn 0.3.3

SHORT = TrialMarket(providers=5, history=12, measured=8)


def test_oracles_play_the_equilibrium():
    play = play_market(SHORT, ["oracle"] * 5, seed=1)
    for money, valuations in zip(play.money, play.valuations, strict=True):
        expected = SHORT.satisfaction * provider_equilibrium(valuations, SHORT.satisfaction)
        np.testing.assert_allclose(money, expected, rtol=1e-6, atol=1e-6 * expected.sum())


def test_one_oracle_best_responds_to_what_the_others_do():
    play = play_market(SHORT, ["oracle"] + ["ewma"] * 4, seed=1)
    rivals = np.array([rival_sums(money) for money in play.money])[:, 0] / SHORT.satisfaction
    grid = np.linspace(0, 2 * play.money.max(), 2001)[:, None] / SHORT.satisfaction
    searched = provider_utility(grid, rivals, play.valuations[:, 0], SHORT.satisfaction).max(axis=0)
    alone = rivals == 0
    assert np.all(play.utilities[~alone, 0] >= searched[~alone] - 1e-9)


def test_everybody_answers_beliefs_learned_from_what_everybody_did():
    """With `last`, bids best respond to the bids of the auction before; the first one is at the reserve."""
    play = play_market(SHORT, ["last"] * 5, seed=3)
    np.testing.assert_allclose(play.money[0], np.minimum(SHORT.reserve_money, play.valuations[0]))
    for before, now, valuations in zip(play.money[:-1], play.money[1:], play.valuations[1:], strict=True):
        rivals, s = rival_sums(before), SHORT.satisfaction
        root = np.sqrt((rivals**2 / s**2 + valuations * rivals / s) / (s + 1))
        expected = np.where(rivals > 0, np.maximum(0, root - rivals / s) * s, SHORT.reserve_money)
        np.testing.assert_allclose(now, expected, rtol=1e-9, atol=1e-9)


def test_kinds_meet_the_same_demand():
    plays = [play_market(SHORT, [kind] * 5, seed=2) for kind in ("last", "hmm", "oracle")]
    for play in plays[1:]:
        np.testing.assert_array_equal(play.valuations, plays[0].valuations)


def test_same_seed_same_play():
    one, other = (play_market(SHORT, ["blend"] * 5, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.money, other.money)


def test_undamped_last_bids_are_unstable_where_moving_averages_are_not():
    """Simultaneous best response has a common-mode gain of −(n − 2)/2: at ten providers it swings ever wider."""
    market = TrialMarket(providers=10, noise=0.0, factors=(1.0,), history=30, measured=10)
    swing = {
        kind: np.abs(np.diff(play_market(market, [kind] * 10, seed=0).money[-10:].sum(axis=1))).mean()
        for kind in ("last", "ewma")
    }
    total = SHORT.satisfaction * provider_equilibrium(np.full(10, 1000.0), SHORT.satisfaction).sum()
    assert swing["last"] > 0.3 * total
    assert swing["ewma"] < 0.01 * total


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 6), st.integers(5, 20), st.integers(0, 10**6))
def test_the_oracle_is_the_best_in_hindsight(providers, auctions, seed):
    rng = np.random.default_rng(seed)
    money = rng.gamma(1.0, 50.0, (auctions, providers)) * (rng.random((auctions, providers)) < 0.7)
    valuations = rng.uniform(100, 1000, (auctions, providers))
    possible = best_response_utility(money, money, valuations, 25.0)
    believed = rng.gamma(1.0, 50.0, (auctions, providers))
    assert np.all(best_response_utility(believed, money, valuations, 25.0) <= possible + 1e-9)
    score = score_beliefs("oracle", money, valuations, 25.0, measured_from=2)
    assert score.mae_money == 0 and score.oracle_share == pytest.approx(1.0)
    assert score_beliefs("last", money, valuations, 25.0, measured_from=2).oracle_share <= 1.0 + 1e-12


def test_scores_by_hand():
    """`last` on 0, 10, 10, 20: errors 10, 0, 10 from the second auction on."""
    money = np.array([[0.0, 5.0], [10.0, 5.0], [10.0, 5.0], [20.0, 5.0]])
    score = score_beliefs("last", money, np.full((4, 2), 100.0), 1.0, measured_from=1)
    assert score.mae_money == pytest.approx((10 + 0 + 10) / 6)


def test_log_loss_by_hand():
    """Levels {1, 2} after 1, 2, 1, 2: a forecast of ¾ on the level that came, one bid added to each level."""
    money = np.array([[1.0], [2.0], [1.0], [2.0], [1.0]])
    forecast = (Part.of(np.array([1.0, 2.0]), np.array([0.75, 0.25])),)
    loss = log_loss([[forecast]] * 5, money, 4, levels=2)
    assert loss == pytest.approx(-np.log((4 * 0.75 + 1) / (4 + 2)))


def test_a_point_forecast_is_dressed_with_its_own_errors():
    """Errors of 0, 0, 1, 1 around a forecast of 1 put half the mass on each of two levels."""
    money = np.array([[1.0], [1.0], [2.0], [2.0], [2.0]])
    loss = log_loss([[named(1.0)]] * 5, money, 4, levels=2)
    assert loss == pytest.approx(-np.log((4 * 0.5 + 1) / (4 + 2)))


def test_a_level_lies_on_the_bids_that_fell_into_it_not_on_its_stale_value():
    """Bids 1, 1, 2, 10 and a level 'up to 5' that is sure to come: its mass is on 1, 1, 2, not on the value 4."""
    money = np.array([[1.0], [1.0], [2.0], [10.0], [1.0]])
    sure = (Part(1.0, np.array([4.0, 9.0]), np.array([1.0, 0.0]), np.array([5.0])),)
    points, weights = density(sure, [sure] * 4, money[:4, 0])
    assert points[weights > 0].tolist() == [1, 1, 2] and weights[weights > 0] == pytest.approx([1 / 3] * 3)
    # Quantile bins of 1, 1, 2, 10 at four levels: up to 1, up to 4 (their median 1.5, then 4), above.
    assert log_loss([[sure]] * 5, money, 4, levels=4) == pytest.approx(-np.log((4 * 2 / 3 + 1) / (4 + 3)))


def test_equal_information_scores_equal_whatever_the_kind():
    """That the next bid is like all before: as a point, as one level, and as two levels that are as likely as ever."""
    rng = np.random.default_rng(7)
    money = rng.gamma(2.0, 50.0, (80, 1))
    late, above = 40, float(np.median(money))
    share = np.array([float((money[:t] <= above).mean()) if t else 0.5 for t in range(80)])
    kinds = {
        "a number": [[named(123.4)]] * 80,
        "another": [[named(7.0)]] * 80,
        "two levels": [[(Part(1.0, np.array([30.0, 200.0]), np.array([p, 1 - p]), np.array([above])),)] for p in share],
        "half and half": [[(replace(named(50.0)[0], weight=0.5), replace(named(60.0)[0], weight=0.5))]] * 80,
    }
    losses = {name: log_loss(foretold, money, late) for name, foretold in kinds.items()}
    # The same once more without any density: each bin as often as it has been met.
    expected = []
    for t in range(late, 80):
        cuts = np.quantile(money[:t, 0], np.arange(1, 6) / 6)
        of_past, of_next = (money[:t, 0, None] > cuts).sum(1), int((money[t, 0] > cuts).sum())
        expected.append(-np.log(((of_past == of_next).sum() + 1) / (t + 6)))
    for loss in losses.values():
        assert loss == pytest.approx(np.mean(expected), rel=1e-12)


def test_a_sure_point_and_a_sure_level_of_a_cycle_score_the_same():
    """Bids 10, 20, 10, 20, …: who names the next one and who is sure of its level have said the same."""
    money = np.tile([[10.0], [20.0]], (20, 1))
    sure = [np.array([1.0, 0.0]) if t % 2 == 0 else np.array([0.0, 1.0]) for t in range(40)]
    levels = [[(Part.of(np.array([10.0, 20.0]), p),)] for p in sure]
    points = [[named(10.0 if t % 2 == 0 else 20.0)] for t in range(40)]
    assert log_loss(points, money, 10) == pytest.approx(log_loss(levels, money, 10), rel=1e-12)
    assert log_loss(points, money, 10) < 0.1 < log_loss([[named(15.0)]] * 40, money, 10)


def test_the_score_is_proper_who_knows_the_truth_wins():
    """Bids are 1 or 2 at odds known beforehand: the expected loss is least at the truth, up to the bids added."""
    past, truth = np.repeat([[1.0], [2.0]], [600, 400], axis=0), 0.8
    grid = np.linspace(0.01, 0.99, 99)

    def expected(p: float) -> float:
        forecast = (Part.of(np.array([1.0, 2.0]), np.array([1 - p, p])),)
        low, high = (log_loss([[forecast]] * 1001, np.vstack([past, [[bid]]]), 1000, levels=2) for bid in (1.0, 2.0))
        return (1 - truth) * low + truth * high

    losses = np.array([expected(p) for p in grid])
    assert grid[losses.argmin()] == pytest.approx(truth)
    assert np.all(np.diff(losses[grid <= truth + 1e-9]) < 0) and np.all(np.diff(losses[grid >= truth - 1e-9]) > 0)
    assert losses.min() == pytest.approx(-(0.2 * np.log(0.2) + 0.8 * np.log(0.8)), abs=0.01)  # the entropy


@pytest.mark.parametrize("kind", ["hmm", "markov", "ewma", "blend", "hmm-mode", "ar1"])
def test_losses_are_those_of_a_second_implementation(kind):
    """Probabilities of bins counted bid by bid, in loops, from what the kinds predict and what they call a level."""
    play = play_market(TrialMarket(providers=3, history=26, measured=6), ["ewma"] * 3, seed=5)
    bids, beliefs = play.money[:, 0], BidBelief(kind, ewma_weight=0.2)
    foretold, losses = [], []
    for t, bid in enumerate(bids):
        foretold.append(beliefs.parts())
        if t >= 26:
            cuts = sorted({float(cut) for cut in np.quantile(bids[:t], np.arange(1, 6) / 6)})
            bins = [sum(bool(x > cut) for cut in cuts) for x in bids[:t]]
            met = sorted(set(bins))

            def bin_of(x, cuts=cuts, met=met):
                # an empty bin is merged into its upper neighbour, as edges are those below occupied bins
                raw = sum(bool(x - 1e-9 > cut) for cut in cuts)
                return max((m for m in met if m <= raw), default=met[0])

            mass = dict.fromkeys(met, 0.0)
            for number, part in enumerate(foretold[t]):
                for i, (value, p) in enumerate(zip(part.values, part.probabilities, strict=True)):
                    if part.values.size == 1:
                        likely = [
                            max(0.0, value + x - f[number].mean) for x, f in zip(bids, foretold[:t], strict=False)
                        ]
                    else:
                        low = -np.inf if i == 0 else part.edges[i - 1]
                        high = np.inf if i == part.values.size - 1 else part.edges[i]
                        likely = [x for x in bids[:t] if low < x <= high] or [value]
                    for x in likely:
                        mass[bin_of(x)] += part.weight * p / len(likely)
            assert sum(mass.values()) == pytest.approx(1.0)
            losses.append(-np.log((t * mass[bin_of(bid)] + 1) / (t + len(met))))
        beliefs.observe(bid)
    assert log_loss([[forecast] for forecast in foretold], bids[:, None], 26) == pytest.approx(np.mean(losses))


def test_a_level_belief_that_follows_the_regimes_beats_one_that_does_not():
    """Bids in two far apart regimes that last: the chain that learns from the last bid against the mean of all."""
    rng = np.random.default_rng(0)
    money = (np.where(rng.random(150) < 0.1, 1, 0).cumsum() % 2 * 100 + rng.uniform(1, 20, 150))[:, None]
    losses = {}
    for kind in ("markov", "hmm", "mean"):
        belief, foretold = BidBelief(kind), []
        for bid in money[:, 0]:
            foretold.append([belief.parts()])
            belief.observe(bid)
        losses[kind] = log_loss(foretold, money, 60)
    assert max(losses["markov"], losses["hmm"]) < losses["mean"] - 0.3


def test_mean_bids():
    foretold = [[(Part.of(np.array([1.0, 3.0]), np.array([0.25, 0.75])),), named(5.0)]]
    assert mean_bids(foretold).tolist() == [[2.5, 5.0]]


def named(bid: float) -> tuple[Part, ...]:
    """The forecast that names one bid."""
    return (Part.of(np.array([bid]), np.ones(1)),)


def test_the_trial_is_a_category_of_the_scenario():
    market = trial_market(load_scenario("market-cyclic"))
    assert (market.providers, market.history, market.measured) == (10, 60, 40)
    assert market.cyclic and market.stay == 0.3
    assert market.valuation_money == 500.0
    assert market.belief_options["levels"] == 6


def test_every_kind_is_scored_where_there_is_something_to_score():
    scenario = load_scenario("tiny", overrides={"game.history_auctions": 20, "game.belief.min_history": 5})
    scores = score_kinds(scenario)
    assert set(scores) == set(BELIEFS)
    assert scores["oracle"].oracle_share == pytest.approx(1.0)
    assert all(score.oracle_share <= 1.0 + 1e-9 for score in scores.values())
    assert score_kinds(load_scenario("tiny", overrides={"population.providers": 1})) == {}
