"""Build what learns in a DAO: the real thing on its share of the data, or a fitted curve."""

from typing import Any

import numpy as np

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
    SurrogateLearner,
    Training,
    build_model,
    load_curve,
    load_dataset,
    load_extent,
    partition,
)
from flnft_sim.scenario import Scenario
from flnft_sim.streams import Streams


def data_of(settings: Scenario) -> Dataset:
    learning = settings.learning
    told = learning.told("dataset")
    return load_dataset(learning.dataset, data_dir=learning.data_dir, split=learning.split, seed=settings.seed, **told)


def extent_of(settings: Scenario) -> Extent:
    """One for all surrogate learners of a run: what any of them meets outside the fit is told of the run."""
    learning = settings.learning
    pooled = SCHEMES.get(learning.scheme).centralized
    remark = (f"scheme {learning.scheme} pools the data (fitted to averaged updates)",) if pooled else ()
    return load_extent(learning.dataset, learning.model, *remark)


def build_learner(
    settings: Scenario,
    streams: Streams,
    dataset: Dataset | None,
    extent: Extent | None,
    dao: int,
    users: int,
    episode: int,
) -> Learner:
    """A fresh learner for one minting of one DAO; every DAO deals the same data out in its own way."""
    learning = settings.learning
    scheme = SCHEMES.get(learning.scheme)
    seed = streams.integer("learning", dao, episode)
    if dataset is None:
        facts = DATASETS.facts(learning.dataset)
        return SurrogateLearner(
            load_curve(learning.dataset, learning.model),
            _model_of(settings, facts),
            np.full(users, learning.samples_per_user or max(1, facts.samples // users)),
            batch_size=learning.batch_size,
            noise=_noise_of(settings),
            seed=seed,
            extent=extent,
        )
    shards = partition(
        learning.partition.kind,
        dataset.train_y,
        users,
        rng=streams.generator("partition", dao),
        **_partition_options(settings),
    )
    kind = CentralizedLearner if scheme.centralized else FederatedLearner
    return kind(
        dataset,
        _model_of(settings, dataset),
        shards,
        training=Training(
            aggregator=learning.aggregator,
            batch_size=learning.batch_size,
            lr=learning.learning_rate,
            momentum=learning.momentum,
            engine=learning.engine,
            device=learning.device,
        ),
        noise=_noise_of(settings),
        seed=seed,
    )


def _model_of(settings: Scenario, data: Dataset | Facts) -> Model:
    learning, told = settings.learning, settings.learning.told("model")
    return build_model(learning.model, data.input_shape, data.classes, dropout=learning.dropout, **told)


def _noise_of(settings: Scenario) -> Noise:
    """As the scenario says, where the scheme adds any."""
    learning = settings.learning
    perturb = learning.perturb if SCHEMES.get(learning.scheme).adds_noise else "none"
    return Noise(perturb=perturb, sensitivity=learning.sensitivity, clip_l1=learning.clip_l1)


def _partition_options(settings: Scenario) -> dict[str, Any]:
    chosen = settings.learning.partition
    options: dict[str, dict[str, Any]] = {
        "dirichlet": {"alpha": chosen.alpha},
        "shards": {"shards_per_user": chosen.shards_per_user},
        "sizes": {"sizes": chosen.sizes},
    }
    return options.get(chosen.kind, {})
