"""Build what learns in a DAO: the real thing on its share of the data, or a fitted curve."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from flnft_sim.knobs import picked
from flnft_sim.learning import (
    DATASETS,
    SCHEMES,
    CentralizedLearner,
    Dataset,
    Extent,
    Facts,
    FederatedLearner,
    Learner,
    Model,
    Noise,
    PrivateLearner,
    PrivateSurrogateLearner,
    SurrogateLearner,
    Training,
    build_model,
    load_curve,
    load_dataset,
    load_extent,
    load_private_curve,
    load_private_extent,
)
from flnft_sim.scenario import Scenario
from flnft_sim.settings.learning import PrivacySettings
from flnft_sim.simulation.building.conduct import deal
from flnft_sim.streams import Streams


def data_of(settings: Scenario) -> Dataset:
    learning = settings.learning
    told = learning.told("dataset")
    data = load_dataset(learning.dataset, data_dir=learning.data_dir, split=learning.split, seed=settings.seed, **told)
    if learning.validation_share == 0:
        return data
    return data.holding_out(learning.validation_share, Streams(settings.seed).generator("validation data"))


def extent_of(settings: Scenario) -> Extent:
    """One for all surrogate learners of a run: what any of them meets outside the fit is told of the run."""
    learning = settings.learning
    if _trains_privately(settings):
        return load_private_extent(learning.dataset, learning.model)
    pooled = SCHEMES.get(learning.scheme).centralized
    remark = (f"scheme {learning.scheme} pools the data (fitted to averaged updates)",) if pooled else ()
    return load_extent(learning.dataset, learning.model, *remark)


def learners_of(
    settings: Scenario, streams: Streams, dataset: Dataset | None, extent: Extent | None, dao: int, users: int
) -> Callable[[int], Learner]:
    """How to make a fresh learner for each minting of one DAO, by episode; what all of them share is made once.

    Every DAO deals the same data out in its own way.
    """
    make = _surrogate(settings, extent, users) if dataset is None else _real(settings, streams, dataset, dao, users)
    return lambda episode: make(seed=streams.integer("learning", dao, episode))


def _surrogate(settings: Scenario, extent: Extent | None, users: int) -> Callable[..., Learner]:
    learning = settings.learning
    facts = DATASETS.facts(learning.dataset)
    model = _model_of(settings, facts)
    sizes = np.full(users, learning.samples_per_user or max(1, facts.samples // users))
    if _trains_privately(settings):
        curve, privacy = load_private_curve(learning.dataset, learning.model), _contract_of(settings)

        def without_chance(seed: int) -> Learner:
            del seed
            rate = learning.learning_rate
            return PrivateSurrogateLearner(curve, model, sizes, privacy=privacy, learning_rate=rate, extent=extent)

        return without_chance
    return partial(
        SurrogateLearner,
        load_curve(learning.dataset, learning.model),
        model,
        sizes,
        batch_size=learning.batch_size,
        noise=_noise_of(settings),
        extent=extent,
    )


def _real(settings: Scenario, streams: Streams, dataset: Dataset, dao: int, users: int) -> Callable[..., Learner]:
    declared = max(1, len(dataset.train_y) // users)
    dataset, shards = deal(settings, streams, dataset, dao, users)
    data = dataset, _model_of(settings, dataset), shards
    training, noise = _training_of(settings), _noise_of(settings)
    if _trains_privately(settings):
        return partial(PrivateLearner, *data, privacy=_contract_of(settings), declared=declared, training=training)
    if SCHEMES.get(settings.learning.scheme).centralized:
        return partial(CentralizedLearner, *data, training=training, noise=noise)
    shows_updates = not settings.population.moves_as_crowd(dao)  # a crowd's are neither hashed nor measured nor forged
    return partial(FederatedLearner, *data, training=training, noise=noise, shows_updates=shows_updates)


def _trains_privately(settings: Scenario) -> bool:
    """Whether records are hidden in training; nothing hides them where they are all in one place."""
    return settings.learning.privacy.trains_privately and not SCHEMES.get(settings.learning.scheme).centralized


def _model_of(settings: Scenario, data: Dataset | Facts) -> Model:
    learning, told = settings.learning, settings.learning.told("model")
    return build_model(learning.model, data.input_shape, data.classes, dropout=learning.dropout, **told)


def _training_of(settings: Scenario) -> Training:
    return replace(picked(Training, settings.learning), aggregation=settings.learning.told("aggregator"))


def _contract_of(settings: Scenario) -> PrivacySettings:
    """As the scenario says, with as many epochs planned as its rounds can ask for where it says none."""
    asked = picked(PrivacySettings, settings.learning.privacy)
    planned = asked.planned_epochs or settings.learning.rounds * settings.most_epochs
    return replace(asked, planned_epochs=planned)


def _noise_of(settings: Scenario) -> Noise:
    """The paper's, as the scenario says, where the scheme adds any."""
    learning, noise = settings.learning, picked(Noise, settings.learning)
    is_added = learning.privacy.mechanism == "paper" and SCHEMES.get(learning.scheme).adds_noise
    return noise if is_added else replace(noise, perturb="none")
