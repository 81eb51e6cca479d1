"""Opacus on the same lots, run by `private` in its own environment: each line read names a mode, each written its time.

Both of its ways to clip by record, and nothing of its data loaders: lots are drawn as ours are. `hooks` keeps the
gradient of every record of a lot, `ghost` (fast gradient clipping) finds norms without them and walks back twice.
"""

import json
import sys
import warnings
from collections.abc import Callable
from time import perf_counter, process_time

import numpy as np
import torch
from opacus.grad_sample import GradSampleModule, GradSampleModuleFastGradientClipping
from opacus.optimizers import DPOptimizer, DPOptimizerFastGradientClipping
from opacus.utils.fast_gradient_clipping_utils import DPLossFastGradientClipping
from torch import nn

from flnft_sim.learning import build_model

LR, CLIP, NOISE = 0.1, 1.0, 2.0


def main(folder: str, model_name: str, threads: int, rate: float) -> None:
    """Answer each line on standard input, "hooks" or "ghost", with (wall, CPU) seconds of an epoch."""
    warnings.filterwarnings("ignore", "Full backward hook is firing")
    torch.set_num_threads(threads)
    x, y = (torch.tensor(np.load(f"{folder}/{name}.npy")) for name in ("x", "y"))
    steps = {mode: _step(mode, model_name, tuple(x.shape[1:]), rate * len(y)) for mode in ("hooks", "ghost")}
    for line in sys.stdin:
        start = perf_counter(), process_time()
        for _ in range(round(1 / rate)):
            lot = (torch.rand(len(y)) < rate).nonzero().squeeze(1)
            steps[line.strip()](x[lot], y[lot])
        print(json.dumps([perf_counter() - start[0], process_time() - start[1]]), flush=True)


def _step(
    mode: str, name: str, shape: tuple[int, int, int], lot: float
) -> Callable[[torch.Tensor, torch.Tensor], None]:
    module = build_model(name, shape, 10, activation="tanh").module()
    sgd = torch.optim.SGD(module.parameters(), lr=LR)
    told = {"noise_multiplier": NOISE, "max_grad_norm": CLIP, "expected_batch_size": round(lot)}
    if mode == "hooks":
        model, optimiser = GradSampleModule(module), DPOptimizer(sgd, **told)
        loss = nn.CrossEntropyLoss()
    else:
        model = GradSampleModuleFastGradientClipping(module, max_grad_norm=CLIP, use_ghost_clipping=True)
        optimiser = DPOptimizerFastGradientClipping(sgd, **told)
        loss = DPLossFastGradientClipping(model, optimiser, nn.CrossEntropyLoss())

    def step(x: torch.Tensor, y: torch.Tensor) -> None:
        optimiser.zero_grad()
        loss(model(x), y).backward()
        optimiser.step()

    return step


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
