"""The surrogate of private training: curves of epochs and ε together, contracts, markets too large to train."""

import json
import math
import time
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim import load_scenario, run
from flnft_sim.errors import InputError
from flnft_sim.learning import (
    PrivateLearner,
    PrivateSurrogateLearner,
    build_model,
    dp_noise_multiplier,
    load_private_curve,
    load_private_extent,
)
from flnft_sim.learning.curves import PrivateProgress, private_workloads
from flnft_sim.learning.learners.private_surrogate import noise_multipliers
from flnft_sim.settings.learning import PrivacySettings

MLP = build_model("mlp", (1, 8, 8), 10)
FULL_BATCH = PrivacySettings(mechanism="dp-sgd", sampling_rate=1.0, planned_epochs=30)
WORKLOADS = sorted(private_workloads())
SURROGATE = {"learning.learner": "surrogate", "game.history_auctions": 2}


@pytest.fixture(autouse=True)
def quick_accountant(request, monkeypatch):
    """The textbook's bound for Gaussian steps on the full batch in place of the accountant, which takes seconds."""
    if "slow" not in request.keywords:
        monkeypatch.setattr(
            "flnft_sim.learning.learners.private_surrogate._noise",
            lambda rate, epsilon, steps, delta: rate * (2 * steps * math.log(1.25 / delta)) ** 0.5 / epsilon,
        )


def learner(users=10, samples=140, privacy=FULL_BATCH, **changes):
    curve, sizes = load_private_curve("digits", "mlp"), np.full(users, samples)
    return PrivateSurrogateLearner(
        curve,
        MLP,
        sizes,
        privacy=replace(privacy, **changes),
        learning_rate=2.0,
        extent=load_private_extent("digits", "mlp"),
    )


def accuracy(epsilon, epochs=30, **changes):
    surrogate = learner(planned_epochs=epochs, **changes)
    everybody = np.ones(len(surrogate.users), bool)
    for number in range(epochs):
        updates = surrogate.train(number, surrogate.users, everybody.astype(int), np.full(len(everybody), epsilon))
        surrogate.aggregate(updates, everybody)
    return surrogate.evaluate()[0]


def test_it_has_everything_that_private_training_has():
    public = {name for name in dir(PrivateLearner) if not name.startswith("_")}
    assert public <= set(dir(learner()))


@pytest.mark.parametrize("workload", WORKLOADS)
def test_curves_rise_with_work_and_fall_with_noise(workload):
    curve = load_private_curve(*workload.split("/"))
    work, noise = np.geomspace(0.1, 1e5, 30), np.geomspace(1e-4, 1e2, 30)
    for told, sign in ((curve.accuracy, 1), (curve.loss, -1)):
        assert (sign * np.diff([told(w, 0.01) for w in work]) >= 0).all()
        assert (sign * np.diff([told(30.0, u) for u in noise]) <= 0).all()
    assert 0 < curve.accuracy(0, 0) < 0.2 < curve.accuracy(1e5, 0) <= 1
    for entry in (
        private_workloads()[workload],
        json.loads(files("flnft_sim.learning").joinpath("private_surrogate.json").read_text())["workloads"][workload],
    ):
        assert entry["error_held_out"]["accuracy_points_final"] < 10


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.5, 20.0), min_size=1, max_size=8), st.floats(0.01, 10.0), st.integers(1, 40))
def test_progress_adds_work_and_forgets_noise(weights, deviation, steps):
    curve, weights = load_private_curve("digits", "mlp"), np.array(weights)
    count, progress = np.full(len(weights), float(steps)), PrivateProgress(load_private_curve("digits", "mlp"))
    progress.advance(weights, count, np.full(len(weights), deviation))
    assert progress.work == pytest.approx(steps**curve.steps_exponent)
    assert deviation**2 * steps / len(weights) <= progress.noise_variance * (1 + 1e-9) <= deviation**2 * steps * 1.01
    before = progress.noise_variance
    progress.advance(weights, count, np.zeros(len(weights)))
    assert progress.noise_variance < before


def test_more_privacy_costs_accuracy_and_more_users_or_records_buy_it_back():
    at = [accuracy(epsilon) for epsilon in (1.0, 2.0, 4.0, 8.0)]
    assert at == sorted(at) and at[-1] - at[0] > 0.1
    strict = learner(users=40)
    assert strict.users.size == 40 and accuracy(1.0) < accuracy(1.0, mechanism="dp-secagg")


def test_epochs_and_epsilon_cannot_be_taken_apart():
    """At a given ε more planned epochs mean more noise in each: what they add depends on ε."""
    gain = {epsilon: accuracy(epsilon, 40) - accuracy(epsilon, 10) for epsilon in (1.0, 8.0)}
    assert gain[8.0] > gain[1.0] + 0.01


@pytest.mark.slow
def test_noise_between_the_accountants_nodes_is_nearly_its_own():
    epsilons = np.array([1.1, 2.7, 4.9])
    told = noise_multipliers(epsilons, 1.0, 30, 1e-5)
    own = [dp_noise_multiplier(1.0, epsilon, 30, 1e-5) for epsilon in epsilons.tolist()]
    assert told == pytest.approx(own, rel=5e-3)


def test_a_user_is_bound_and_stops():
    surrogate, all_users = learner(planned_epochs=3), np.arange(10)
    surrogate.train(1, all_users, np.ones(10, int), np.full(10, 2.0))
    noise = surrogate._noise_multiplier.copy()
    surrogate.train(2, all_users, np.ones(10, int), np.full(10, 5.0))
    assert np.array_equal(surrogate._noise_multiplier, noise)
    assert (surrogate.epochs_left == 1).all()


@pytest.mark.slow
def test_it_follows_real_private_training():
    fields = {"game.history_auctions": 2, "learning.scheme": "random", "game.privacy_range": [4.0, 4.0]}
    real = run(load_scenario("private10", overrides=fields))
    told = run(load_scenario("private10", overrides=fields | SURROGATE))
    assert told.summary["accuracy"] == pytest.approx(real.summary["accuracy"], abs=0.1)


def test_a_crowd_trades_privacy():
    fields = SURROGATE | {
        "population.users": 2000,
        "radio.placement": "random",
        "radio.cross_talk": 0.0,
        "game.budget_money": 2e5,  # as much a user as in private10, and effort as dear in all
        "game.cost_price": 1.86,
        "market.reserve_prior_money": 3e4,
        "learning.rounds": 2,
        "learning.samples_per_user": 140,
        "learning.privacy.planned_epochs": 30,
    }
    result = run(load_scenario("private10", overrides=fields))
    assert result.users["privacy_budget"].nunique() > 100
    assert "users a round" in result.summary["engine"]


def test_accuracy_epsilon_and_money_move_together_with_the_price_of_privacy():
    cheap, dear = (run(load_scenario("private10", overrides=SURROGATE | {"game.beta": beta})) for beta in (10.0, 30.0))
    assert cheap.summary["privacy_budget"] > dear.summary["privacy_budget"]
    assert cheap.summary["accuracy"] > dear.summary["accuracy"]
    assert cheap.summary["user_utility"] > dear.summary["user_utility"]
    usual = run(load_scenario("private10", overrides=SURROGATE)).users
    first = usual[usual["round"] == 1]
    assert first["privacy_budget"].between(1.0, 5.0, inclusive="neither").all()
    assert first["privacy_budget"].nunique() == 10


def test_a_hundred_thousand_users_are_arrays():
    surrogate, started = learner(users=100_000), time.process_time()
    for number in range(5):
        everybody = np.ones(100_000, bool)
        updates = surrogate.train(number, surrogate.users, everybody.astype(int), np.linspace(1.0, 5.0, 100_000))
        surrogate.aggregate(updates, everybody)
    assert time.process_time() - started < 1.0
    assert surrogate.evaluate()[0] > 0.5


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"learning.learning_rate": 1.0}, "learning_rate"),
        ({"learning.privacy.sampling_rate": 0.5}, "privacy.sampling_rate"),
        ({"learning.inputs": "standard"}, "inputs"),
        ({"learning.model": "cnn"}, "no curve for private training of digits/cnn"),
    ],
)
def test_what_the_curves_were_not_fitted_to_is_refused(fields, told):
    with pytest.raises(InputError, match=told):
        load_scenario("private10", overrides=SURROGATE | fields)
