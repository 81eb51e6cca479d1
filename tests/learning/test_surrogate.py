"""The surrogate learner: the same interface on fitted curves."""

import json
import time
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.learning import (
    Extent,
    FederatedLearner,
    Noise,
    SurrogateLearner,
    build_model,
    load_curve,
    load_curves,
    load_extent,
    noise_scales,
)
from flnft_sim.learning.curves import Progress

MLP = build_model("mlp", (1, 8, 8), 10)
WORKLOADS = sorted(load_curves())


def learner(users: int = 10, samples: int = 140, **settings: object) -> SurrogateLearner:
    return SurrogateLearner(load_curve("digits", "mlp"), MLP, np.full(users, samples), **settings)  # type: ignore[arg-type]


def play(surrogate: SurrogateLearner, rounds: int, epochs: int, privacy: float) -> tuple[float, float]:
    n = len(surrogate.users)
    for index in range(rounds):
        updates = surrogate.train(index, surrogate.users, np.full(n, epochs), np.full(n, privacy))
        surrogate.aggregate(updates, np.ones(n, bool))
    return surrogate.evaluate()


def test_it_has_everything_that_a_real_learner_has() -> None:
    public = {name for name in vars(FederatedLearner) if not name.startswith("_")}
    assert public <= set(dir(SurrogateLearner))


@pytest.mark.parametrize("workload", WORKLOADS)
def test_curves_are_learning_curves(workload: str) -> None:
    """Accuracy rises and loss falls with work; noise does the opposite; all within what is possible."""
    curve = load_curves()[workload]
    work, noise = np.geomspace(1, 1e6, 30), np.geomspace(1e-4, 1e2, 30)
    accuracy = [curve.accuracy(w, 0.0) for w in work]
    loss = [curve.loss(w, 0.0) for w in work]
    assert (np.diff(accuracy) >= 0).all()
    assert (np.diff(loss) <= 0).all()
    assert 0 < curve.accuracy(0, 0) < 0.3
    assert 0.3 < accuracy[-1] <= 1
    assert 0 <= loss[-1] < loss[0]
    assert (np.diff([curve.accuracy(1e4, u) for u in noise]) <= 0).all()
    assert (np.diff([curve.loss(1e4, u) for u in noise]) >= 0).all()
    assert curve.accuracy(1e4, 1e9) == pytest.approx(curve.accuracy(0, 0), abs=0.01)


@given(st.integers(1, 30), st.integers(1, 7), st.floats(1, 4))
def test_more_work_and_less_noise_are_better(rounds: int, epochs: int, privacy: float) -> None:
    accuracy, loss = play(learner(), rounds, epochs, privacy)
    for better in ((rounds + 1, epochs, privacy), (rounds, epochs + 1, privacy), (rounds, epochs, privacy + 1)):
        other = play(learner(), *better)
        assert other[0] >= accuracy
        assert other[1] <= loss


def test_late_updates_bring_nothing() -> None:
    surrogate = learner()
    before = surrogate.evaluate()
    surrogate.aggregate(surrogate.train(0, surrogate.users, np.full(10, 5), np.full(10, 2.0)), np.zeros(10, bool))
    assert surrogate.evaluate() == before


def test_noise_of_the_aggregate_is_the_weighted_sums() -> None:
    """Against draws: the deviation of Σ s_i·Lap(b_i), after many rounds of the same."""
    curve, rng = load_curve("digits", "mlp"), np.random.default_rng(0)
    sizes, scales = np.array([10, 30, 60]), np.array([0.1, 0.2, 0.05])
    progress = Progress(curve)
    for _ in range(400):
        progress.advance(sizes, np.ones(3), scales)
    drawn = (sizes / sizes.sum()) @ rng.laplace(0, scales[:, None], (3, 200_000))
    assert progress.noise == pytest.approx(drawn.std(), rel=0.02)


def test_update_norms_carry_the_noise() -> None:
    """E‖Lap(b)^P‖² = 2·P·b², against draws."""
    quiet, noisy = learner(noise=Noise(perturb="none")), learner(noise=Noise(sensitivity=0.5))
    users, epochs, privacy = np.arange(2), np.array([1, 1]), np.array([1.0, 5.0])
    clean = quiet.train(0, users, epochs, privacy).update_norms
    found = noisy.train(0, users, epochs, privacy).update_norms
    rng = np.random.default_rng(0)
    for i, epsilon in enumerate(privacy):
        noise = np.linalg.norm(rng.laplace(0, 0.5 / epsilon, MLP.parameter_count))
        assert found[i] == pytest.approx(np.hypot(clean[i], noise), rel=0.02)


def test_users_differ_and_keep_their_difference() -> None:
    one, again, other = learner(seed=1), learner(seed=1), learner(seed=2)
    np.testing.assert_array_equal(one.rank(one.users, "loss"), again.rank(again.users, "loss"))
    assert (one.rank(one.users, "loss") != other.rank(other.users, "loss")).all()
    ranks = one.rank(np.array([4, 2]), "gradient-norm")
    np.testing.assert_array_equal(ranks, one.rank(one.users, "gradient-norm")[[4, 2]])


def test_a_million_users_take_a_round_in_under_a_second() -> None:
    surrogate = learner(users=1_000_000)
    started = time.process_time()
    play(surrogate, 1, 3, 2.0)
    assert time.process_time() - started < 1


def test_what_does_not_exist_is_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'digits/mlp'"):
        load_curve("digit", "mlp")
    with pytest.raises(InputError, match="shard sizes"):
        learner(users=0)
    with pytest.raises(InputError, match="sensitivity"):
        learner(noise=Noise(sensitivity=0.0))


def test_every_curve_states_its_error_on_runs_it_did_not_see_or_that_there_were_none() -> None:
    document = json.loads(files("flnft_sim.learning").joinpath("surrogate.json").read_text())
    for entry in document["workloads"].values():
        if entry["runs_held_out"]:
            assert entry["runs_held_out"] >= 3
            assert 0 < entry["error_held_out"]["accuracy_points_mean"] < 6
        else:
            assert entry["error_held_out"] is None
    held_out = {name for name, entry in document["workloads"].items() if entry["runs_held_out"]}
    assert {"digits/mlp", "digits/cnn", "mnist/mlp", "mnist/cnn"} <= held_out


# ---- outside the fit ------------------------------------------------------------------------------------------------


def told_after(rounds: int = 1, epochs: int = 5, privacy: float = 5.0, users: int = 10, **settings: object) -> str:
    one = learner(users, settings.pop("samples", 100), extent=load_extent("digits", "mlp"), **settings)  # type: ignore[arg-type]
    play(one, rounds, epochs, privacy)
    return one.engine_reason


def test_inside_the_fit_nothing_is_said_of_it() -> None:
    assert told_after() == "fitted learning curves, nothing is trained"


def test_noise_beyond_the_fit_is_told_with_its_deviation() -> None:
    """Ten equal users with Laplace noise of scale b: the mean's deviation is b·√(2/10)."""
    deviation = 50 / 5 * np.sqrt(2 / 10)
    assert f"noise deviation of the aggregate {deviation:.3g} (fitted 0 to " in told_after(
        noise=Noise(sensitivity=50.0)
    )


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"rounds": 130}, "rounds 130 (fitted 1 to 100)"),
        ({"epochs": 20}, "local epochs 20 (fitted 1 to 8)"),
        ({"epochs": 20}, "local steps 40 (fitted 1 to 16)"),  # 100 samples are two mini-batches of 64
        ({"users": 3}, "users a round 3 (fitted 5 to "),
        ({"samples": 1000}, "samples a user 1,000 (fitted "),
        ({"batch_size": 10}, "samples a mini-batch 10 (fitted 64)"),
    ],
)
def test_every_quantity_that_leaves_its_range_is_told(settings: dict[str, object], told: str) -> None:
    reason = told_after(**settings)  # type: ignore[arg-type]
    assert "; outside what they were fitted to: " in reason
    assert told in reason


def test_both_ends_of_a_range_are_told() -> None:
    extent = Extent({"users": (5, 14)})
    for users in (7, 3, 20):
        extent.meet("users", users)
    assert list(extent.left()) == ["users a round 3 and 20 (fitted 5 to 14)"]


def test_learners_of_one_run_tell_of_one_another() -> None:
    shared = load_extent("digits", "mlp")
    inside, outside = learner(samples=100, extent=shared), learner(3, samples=100, extent=shared)
    for one in (inside, outside):
        play(one, 1, 5, 5.0)
    assert "users a round 3" in inside.engine_reason


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_ranges_are_those_of_the_runs_that_were_fitted(workload: str) -> None:
    """The first draws of every fitted run by hand, and the file as the script would write it again."""
    fit = pytest.importorskip("analysis.fit_surrogate")
    document = json.loads(files("flnft_sim.learning").joinpath("surrogate.json").read_text())
    ranges = document["workloads"][workload]["ranges"]
    assert ranges == fit.fitted_ranges(workload)
    assert document["common"] == fit.COMMON
    runs, rounds, taking_part, _ = fit.PLANS[workload]
    fitted = [seed for seed in range(runs) if runs < 10 or seed % 3]
    assert len(fitted) == document["workloads"][workload]["runs_fitted"]
    users = [int(np.random.default_rng([seed, 2023]).integers(*taking_part, endpoint=True)) for seed in fitted]
    assert ranges["users"] == [min(users), max(users)]
    assert ranges["rounds"] == [1, rounds]
    assert ranges["batch_size"] == [fit.BATCH_SIZE] * 2
    largest = max(fit.EPOCHS_MAX)
    assert ranges["local_epochs"] == [1, largest]
    assert ranges["local_steps"][1] <= largest * np.ceil(ranges["samples_per_user"][1] / fit.BATCH_SIZE)
    strongest = noise_scales(np.ones(1), sensitivity=fit.SENSITIVITIES[1], clip_l1=None)[0]
    assert ranges["noise_deviation"][0] == 0 < ranges["noise_deviation"][1] < strongest * np.sqrt(2 / min(users))
