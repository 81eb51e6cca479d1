"""Privacy that holds is bought once: chosen, priced and paid for when a user first trains."""

import numpy as np
import pytest

from flnft_sim import FlnftModel, load_scenario
from flnft_sim.errors import InputError
from flnft_sim.game import COSTS

FIELDS = {
    "learning.privacy.mechanism": "dp-sgd",
    "learning.privacy.sampling_rate": 1.0,
    "learning.rounds": 3,
    "game.epochs_max": 1,
    "game.beta": 13.0,
    "game.privacy_taste": [0.5, 2.0],
    "game.history_auctions": 2,
}


def model_of(**fields):
    model = FlnftModel(load_scenario("tiny", overrides=FIELDS | {k.replace("__", "."): v for k, v in fields.items()}))
    model.run()
    return model


@pytest.fixture(scope="module")
def model():
    return model_of()


@pytest.fixture(scope="module")
def users(model):
    return model.result().users


def test_an_epsilon_is_for_the_whole_minting(users):
    assert (users.groupby("user")["privacy_budget"].nunique() == 1).all()
    assert users["privacy_budget"].between(1.0, 5.0, inclusive="neither").any()


def test_it_is_paid_for_in_the_round_it_is_chosen_and_epochs_in_theirs(model, users):
    game, rounds = model.settings.game, model.settings.learning.rounds
    kappa, price = game.cost_price * rounds, game.beta * np.log1p(model.settings.learning.privacy.clip_l2)
    taste = model.daos[0].privacy_tastes
    first = users[users["round"] == 1]
    later = users[users["round"] == 2]
    for_privacy = first["cost_round_money"].to_numpy() - later["cost_round_money"].to_numpy()
    assert for_privacy == pytest.approx(kappa * price * taste * first["privacy_budget"].to_numpy())
    whole = users.groupby("user", sort=False)["cost_round_money"].sum().to_numpy()
    surplus = later["reward_announced_money"] - later["cash_surplus_money"]
    assert whole == pytest.approx(surplus.to_numpy())


def test_who_holds_privacy_dear_asks_for_less_of_the_others(model, users):
    first = users[users["round"] == 1]
    by_taste = np.argsort(model.daos[0].privacy_tastes)
    epsilons = first["privacy_budget"].to_numpy()[by_taste]
    assert (np.diff(epsilons) <= 0).all() and epsilons[0] > epsilons[-1]


def test_noise_does_not_move_its_own_price(users):
    """Eq. 7's ‖g̃‖ would: a smaller ε, more noise, a dearer ε."""
    paid = users[users["round"] == 1].set_index("user")["cost_round_money"]
    other = model_of(learning__learning_rate=1e-4).result().users
    again = other[other["round"] == 1].set_index("user")["cost_round_money"]
    pinned = other[other["round"] == 3].set_index("user")["privacy_budget"]
    assert paid.to_dict() == again.to_dict()
    assert pinned.to_dict() == users[users["round"] == 3].set_index("user")["privacy_budget"].to_dict()


def test_schemes_that_draw_an_epsilon_draw_it_once():
    users = model_of(learning__scheme="random").result().users
    assert (users.groupby("user")["privacy_budget"].nunique() == 1).all()
    free = model_of(learning__scheme="random", learning__privacy__mechanism="paper").result().users
    assert (free.groupby("user")["privacy_budget"].nunique() > 1).all()


def test_a_new_minting_is_a_new_contract():
    users = model_of(market__auctions=2).result().users
    by_minting = users.groupby(["user", "episode"])["privacy_budget"].agg(["nunique", "first"])
    assert (by_minting["nunique"] == 1).all()
    assert (users[users["round"] == 1].groupby("user")["cost_round_money"].min() > 1.0).all(), "paid for in each"


def test_incentives_without_a_closed_form_are_refused():
    COSTS.register("steep")(lambda epochs, privacy, compute_cost, privacy_cost: compute_cost * epochs**2)
    try:
        with pytest.raises(InputError, match="paper's incentives"):
            load_scenario("tiny", overrides=FIELDS | {"game.cost": "steep"})
    finally:
        COSTS.forget("steep")
