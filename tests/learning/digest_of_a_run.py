"""A short run with everything random switched on, as a hash: the same in this process and as a script in another."""

import hashlib

import numpy as np

from flnft_sim.learning import FederatedLearner, Training, build_model, load_dataset, partition


def digest() -> str:
    """Return the SHA-256 of the model after two rounds."""
    data = load_dataset("synthetic", shape=(1, 8, 8), train=300, test=1)
    shards = partition("dirichlet", data.train_y, 4, rng=np.random.default_rng(0), alpha=0.5)
    model = build_model("cnn", data.input_shape, data.classes, dropout=0.2)
    training = Training(aggregator="fedadp", engine="torch", device="cpu")
    learner = FederatedLearner(data, model, shards, training=training, seed=7)
    for index in range(2):
        updates = learner.train(index, learner.users, np.array([1, 2, 1, 3]), np.full(4, 2.0))
        learner.aggregate(updates, np.ones(4, bool))
    return hashlib.sha256(learner.params.tobytes()).hexdigest()


if __name__ == "__main__":
    print(digest())  # noqa: T201
