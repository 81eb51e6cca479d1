"""Flower's simulation on the same round, run by `learning_peers` in its own environment; prints (wall, CPU) seconds."""

import json
import sys

import numpy as np
import torch
from _peer_clock import stamp
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation
from torch.nn.functional import cross_entropy

from flnft_sim.learning import build_model


def main(folder: str, model_name: str, rounds: int) -> None:
    """Time `rounds` rounds of all users, two actors of one core each."""

    def array(name: str) -> np.ndarray:
        # Mapped, not read: an actor unpickles this app anew for every client and could keep nothing for the next.
        return np.load(f"{folder}/{name}.npy", mmap_mode="r")

    users, shape = len(array("cuts")) + 1, array("x").shape[1:]
    module = build_model(model_name, shape, 10).module()
    client, server, stamps = ClientApp(), ServerApp(), []

    @client.train()
    def train(message: Message, context: Context) -> Message:
        torch.set_num_threads(1)
        user = int(context.node_config["partition-id"])
        x, y = (torch.tensor(np.split(array(name), array("cuts"))[user]) for name in ("x", "y"))
        own = build_model(model_name, shape, 10).module()
        own.load_state_dict(message.content["arrays"].to_torch_state_dict())
        optimiser = torch.optim.SGD(own.parameters(), lr=0.01, momentum=0.5)
        for rows in torch.randperm(len(y)).split(64):
            optimiser.zero_grad()
            cross_entropy(own(x[rows]), y[rows]).backward()
            optimiser.step()
        reply = {"arrays": ArrayRecord(own.state_dict()), "metrics": MetricRecord({"num-examples": len(y)})}
        return Message(RecordDict(reply), reply_to=message)

    @server.main()
    def serve(grid: Grid, _context: Context) -> None:
        strategy = FedAvg(fraction_train=1.0, fraction_evaluate=0.0, min_available_nodes=users)
        strategy.start(grid, ArrayRecord(module.state_dict()), num_rounds=rounds, evaluate_fn=note)

    def note(_round: int, _arrays: ArrayRecord) -> None:
        stamps.append(stamp())

    backend = {"client_resources": {"num_cpus": 1, "num_gpus": 0.0}, "init_args": {"num_cpus": 2}}
    run_simulation(server, client, num_supernodes=users, backend_config=backend)
    print(json.dumps(np.diff(stamps, axis=0).tolist()))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
