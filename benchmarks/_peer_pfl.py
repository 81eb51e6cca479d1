"""pfl-research on the same round, run by `learning_peers` in its own environment: prints (wall, CPU) seconds."""

import json
import sys

import numpy as np
import torch
from _peer_clock import stamp
from pfl.aggregate.simulate import SimulatedBackend
from pfl.algorithm import FederatedAveraging, NNAlgorithmParams
from pfl.callback.base import TrainingProcessCallback
from pfl.data import FederatedDataset
from pfl.data.dataset import Dataset
from pfl.hyperparam import NNEvalHyperParams, NNTrainHyperParams
from pfl.internal.ops import pytorch_ops
from pfl.internal.ops.selector import set_framework_module
from pfl.metrics import Metrics, Weighted
from pfl.model.pytorch import PyTorchModel
from torch.nn.functional import cross_entropy

from flnft_sim.learning import build_model


class Stamps(TrainingProcessCallback):
    """Notes the time after every round."""

    def __init__(self) -> None:
        self.seconds: list[tuple[float, float]] = []

    def after_central_iteration(self, *_, **__):
        self.seconds.append(stamp())
        return False, Metrics()


def main(folder: str, model_name: str, rounds: int) -> None:
    """Time `rounds` rounds of all users on one core."""
    torch.set_num_threads(1)
    set_framework_module(pytorch_ops)
    x, y, cuts = (np.load(f"{folder}/{name}.npy") for name in ("x", "y", "cuts"))
    shards = list(zip(np.split(x, cuts), np.split(y, cuts), strict=True))
    module = build_model(model_name, shards[0][0].shape[1:], 10).module()
    module.loss = lambda x, y, **_: cross_entropy(module(x), y)
    module.metrics = lambda x, y, **_: {"loss": Weighted(cross_entropy(module(x), y).item() * len(y), len(y))}
    turn = iter(range(10**9))
    tensors = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in shards]
    users = FederatedDataset(lambda user: Dataset(raw_data=tensors[user]), lambda: next(turn) % len(shards))
    model = PyTorchModel(
        model=module,
        local_optimizer_create=lambda params, lr: torch.optim.SGD(params, lr, momentum=0.5),
        central_optimizer=torch.optim.SGD(module.parameters(), 1.0),
    )
    stamps = Stamps()
    FederatedAveraging().run(
        NNAlgorithmParams(
            central_num_iterations=rounds, evaluation_frequency=10**6, train_cohort_size=len(shards), val_cohort_size=0
        ),
        SimulatedBackend(users, users),
        model,
        NNTrainHyperParams(local_num_epochs=1, local_learning_rate=0.01, local_batch_size=64),
        NNEvalHyperParams(local_batch_size=64),
        callbacks=[stamps],
        send_metrics_to_platform=False,
    )
    print(json.dumps(np.diff(stamps.seconds, axis=0).tolist()))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
