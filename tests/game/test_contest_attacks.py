"""Attacks on a contest for a pot, and what becomes of promises that are kept in part."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from flnft_sim.game.contest import (
    ContestTerms,
    PromisedContest,
    contest_attacks,
    equal_equilibria,
    release_power,
    replied,
    steep_release_power,
    whole_contest,
    whole_replies,
)

RANGES = {"epochs_range": (1.0, 20.0), "privacy_range": (1.0, 5.0)}
DIGITS = ContestTerms(
    scores=np.full(10, 27.6), compute_cost=280.2 * 0.0288, privacy_cost=10.65 * 0.0288, a=0.5, b=0.05, **RANGES
)


@pytest.fixture(scope="module")
def attacks():
    found = contest_attacks(DIGITS, 897.0, 5, elasticity=0.33)
    return {(each.attack.split(",")[0], each.setting.split(",")[0]): each for each in found}


def test_what_attacks_on_the_digits_market_earn(attacks):
    """Against the design: honesty keeps .0533 of the pot, a claim without work .180, an update sent twice .147."""
    assert attacks["claim and skip", "arrival"].gain == pytest.approx(0.180 - 0.0533, abs=1e-3)
    assert attacks["an update sent twice", "both count"].gain == pytest.approx(0.147 - 0.0533, abs=1e-3)
    names = attacks["two names that both train on one data set", "both count"].gain
    assert 0.7 < names / 0.0533 < 0.9  # 80 % in real epochs
    assert attacks["all members train one epoch", "unconditional pot"].gain == pytest.approx(0.36, abs=1e-3)


def test_rules_make_attacks_worthless(attacks):
    """Each with the rule in place, beside the gain without it, which is there."""
    for attack, rule in (
        ("another effort", "k and ε as one likes"),
        ("claim and skip", "loss-drop"),
        ("claim and skip some rounds", "enclave"),
        ("an update sent twice", "near-identical ones count once"),
        ("two names that both train on one data set", "one name a data set"),
        ("all members train a part of what they promised", "release schedule"),
        ("ask little", "steeper release"),
        ("evaluators lie for the DAO", "49% of them"),
    ):
        assert attacks[attack, rule].gain == pytest.approx(0.0, abs=1e-12), attack
    assert attacks["all members train a part of what they promised", "release in proportion"].gain > 0.01
    assert attacks["ask little", "release in proportion"].gain > 0.3
    assert attacks["evaluators lie for the DAO", "51% of them"].gain == 1.0


def test_noise_in_what_the_loss_shows_is_worth_claiming_for_and_more_so_where_learning_has_levelled_off(attacks):
    """At noise of 5 %, by drawing it: to claim 20 and train 5 against claiming 5; the search over epochs finds more."""
    seen = np.maximum(0.0, 1.0 + 0.05 * np.random.default_rng(0).standard_normal(200_000)) ** (1 / 0.33)
    share = [counted**0.5 / (counted**0.5 + 9) for counted in (np.minimum(seen, 4.0), np.minimum(seen, 1.0))]
    drawn = share[0].mean() - share[1].mean()
    steep = attacks["claim the most", "loss-drop"]  # the last of both settings
    assert steep.setting.endswith("5%") and 0.9 * drawn < steep.gain < 2.0 * drawn
    flat = contest_attacks(DIGITS, 897.0, 5, elasticity=0.002)
    noisy = [each.gain for each in flat if each.attack.startswith("claim the most")]
    assert steep.gain < noisy[0] < noisy[1]


def short_and_paid(users, power, a=0.5, promise=5.0):
    """At how many asks of .01 to 1 of the total ask of equal users there is an equilibrium that is short and paid."""
    cost = a * (1 - 1 / users) / users / promise
    terms = ContestTerms(scores=np.ones(users), compute_cost=cost, privacy_cost=0.0, a=a, b=0.0, **RANGES)
    count = 0
    for part in np.arange(1, 101) / 100:
        contest = PromisedContest(terms=terms, pot=part, promised_epochs=promise, power=power)
        found = [each for each in equal_equilibria(contest) if each.delivered < 1 - 1e-9]
        cash = [
            float(contest.released(each.staying * each.epochs)) - cost * each.staying * each.epochs for each in found
        ]
        count += any(money > 1e-6 for money in cash)
    return count


@pytest.mark.parametrize("users", [3, 5, 10])
def test_promises_kept_in_part_are_worthless_for_few_equal_users_and_with_a_steeper_release_for_all(users):
    power = release_power(a=0.5, users=users, promised_epochs=5)
    steep = 1.01 * max(power, steep_release_power(a=0.5, users=users))
    assert short_and_paid(users, steep) == 0
    assert (short_and_paid(users, power) == 0) == (users < 6)
    assert short_and_paid(users, 0.33) > 50


def test_a_promise_kept_in_part_that_is_an_equilibrium_is_one_and_pays_less_than_keeping_it():
    """Ten users, an ask of .9: x of ρ·x^(m − 1)·(1 + m/(a·9)) = 1, by a reply that is searched for independently."""
    power = release_power(a=0.5, users=10, promised_epochs=5)
    k = 5 * (0.9 * (1 + power / 4.5)) ** (-1 / (power - 1))

    def loss(own, others=k):
        released = 0.9 * min(1.0, (9 * others + own) / 50) ** power
        return 0.009 * own - released * own**0.5 / (own**0.5 + 9 * others**0.5)

    best = minimize_scalar(loss, bounds=(0.0, 20.0), method="bounded", options={"xatol": 1e-9})
    assert best.x == pytest.approx(k, abs=1e-3) and 3 < k < 4
    assert -loss(k) < -loss(5.0, others=5.0)
    assert minimize_scalar(lambda x: loss(x, 1.05 * k), bounds=(0, 20), method="bounded").x > 1.05 * k  # unstable


def test_replies_one_after_another_keep_a_promise_and_below_three_quarters_unravel():
    power = release_power(a=0.5, users=10, promised_epochs=5)
    for part, total in ((1.0, 50), (0.9, 50), (0.6, 0)):
        contest = PromisedContest(terms=DIGITS, pot=part * 897.0, promised_epochs=5, power=power)
        end = replied(contest, np.full(10, 5))
        assert end.equilibrium and end.epochs.sum() == total
    nobody = replied(PromisedContest(terms=DIGITS, pot=897.0, promised_epochs=5, power=power), np.zeros(10, dtype=int))
    assert nobody.equilibrium and not nobody.epochs.any()  # nobody trains: an equilibrium, too


def test_with_an_unconditional_pot_replies_are_those_of_the_contest():
    contest = PromisedContest(terms=DIGITS, pot=897.0, promised_epochs=5, power=0.0)
    played = whole_contest(897.0, DIGITS)
    np.testing.assert_array_equal(
        contest.cash(played.epochs, played.privacy), DIGITS.cash(897.0, played.epochs, played.privacy)
    )
    best, _, cash = contest.replies(played.epochs, played.privacy)
    expected = whole_replies(897.0, DIGITS, played.epochs, played.privacy)
    np.testing.assert_array_equal(best, expected.epochs)
    np.testing.assert_allclose(cash, expected.cash)


def test_without_a_contest_there_is_nothing_to_attack():
    alone = ContestTerms(scores=[1.0], compute_cost=1.0, privacy_cost=0.1, a=0.5, b=0.05, **RANGES)
    assert contest_attacks(alone, 10.0, 5, elasticity=0.3) == []
