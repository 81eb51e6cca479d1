"""What a scenario may say of privacy, and what it is told where that would promise too much."""

import numpy as np
import pytest

from flnft_sim.learning import build_model, load_dataset
from flnft_sim.learning.models import Dense, LayeredModel, Layers
from flnft_sim.scenario import ScenarioError, load_scenario
from flnft_sim.settings.learning import ActivationSettings

DP = {"learning.privacy.mechanism": "dp-sgd"}
SECURE = {
    "learning.privacy.mechanism": "dp-secagg",
    "learning.privacy.sampling_rate": 1.0,
    "learning.scheme": "random",
    "game.default_epochs": 1,
}


def test_the_papers_noise_is_what_nobody_asked_otherwise():
    assert load_scenario("tiny").learning.privacy.mechanism == "paper"


@pytest.mark.parametrize("asked", [DP, SECURE, SECURE | {"learning.scheme": "pms-am", "game.epochs_max": 1}])
def test_a_mechanism_that_holds_is_taken(asked):
    assert load_scenario("tiny", overrides=asked).learning.privacy.trains_privately


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"learning.privacy.sampling_rate": 0.0}, ["learning.privacy.sampling_rate", "0.0", "at most 1"]),
        ({"learning.privacy.sampling_rate": 1.5}, ["learning.privacy.sampling_rate", "1.5", "at most 1"]),
        (DP | {"learning.privacy.lots": "shuffled"}, ["shuffled", "dp-sgd", "poisson"]),
        (DP | {"learning.scheme": "loss"}, ["scheme 'loss'", "dp-sgd", "choose another"]),
        (DP | {"learning.scheme": "gradient-norm"}, ["scheme 'gradient-norm'", "choose another"]),
        (DP | {"learning.perturb": "step"}, ["perturb", "dp-sgd", "leave them out"]),
        (DP | {"learning.clip_l1": 1.0}, ["clip_l1", "dp-sgd"]),
        (DP | {"learning.learner": "surrogate"}, ["knows nothing of activation = relu", "it was fitted to tanh"]),
        (DP | {"game.privacy_range": [1.0, 21.0]}, ["game.privacy_range up to 21", "hides no record", "at most"]),
        (SECURE | {"learning.privacy.sampling_rate": 0.5}, ["several local steps", "sampling_rate 0.5", "use 1"]),
        (SECURE | {"game.default_epochs": 2}, ["game.default_epochs 2", "several local steps", "use 1"]),
        (SECURE | {"learning.scheme": "pms-am"}, ["game.epochs_max 20", "several local steps"]),
        (SECURE | {"learning.aggregator": "fedadp"}, ["aggregator 'fedadp'", "only their sum"]),
        (SECURE | {"learning.privacy.colluders": 50}, ["learning.privacy.colluders 50", "nobody honest"]),
        (
            {"learning.inputs": "unit", "learning.dataset": "synthetic"},
            ["inputs 'unit'", "dataset 'synthetic'", "knows only 'standard'"],
        ),
    ],
)
def test_what_would_promise_too_much_is_refused_in_one_sentence(asked, words):
    with pytest.raises(ScenarioError) as told:
        load_scenario("tiny", overrides=asked)
    text = str(told.value)
    assert "\n" not in text and all(word in text for word in words), text


def test_unit_inputs_lie_between_0_and_1_and_are_the_same_images():
    unit, standard = (load_dataset("digits", inputs=inputs) for inputs in ("unit", "standard"))
    assert unit.train_x.min() == 0.0 and unit.train_x.max() == 1.0
    np.testing.assert_array_equal(unit.train_y, standard.train_y)
    flat, scaled = unit.train_x.ravel().astype(float), standard.train_x.ravel().astype(float)
    assert np.corrcoef(flat, scaled)[0, 1] == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["mlp", "cnn"])
def test_a_models_activation_is_the_one_asked_for(name):
    kinds = {kind: str(build_model(name, (1, 8, 8), 10, activation=kind).module()) for kind in ("relu", "tanh")}
    assert "Tanh" in kinds["tanh"] and "ReLU" not in kinds["tanh"] and "Tanh" not in kinds["relu"]


def test_a_layered_model_of_ones_own_has_the_activation_that_is_asked_for():
    class Wide(LayeredModel):
        name = "wide"

        def choose_layers(self) -> Layers:
            return Layers((), (Dense(4, 8), Dense(8, self.classes)), self.dropout)

    told = [Wide((1, 2, 2), 3, settings=ActivationSettings(activation=kind)) for kind in ("relu", "tanh")]
    assert [model.layers.activation for model in told] == ["relu", "tanh"]
    assert "Tanh" in str(told[1].module())
