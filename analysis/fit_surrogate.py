"""Fit the surrogate learner's curves to real training and state their error on runs that the fit did not see.

    python -m analysis.fit_surrogate [--workloads digits/mlp mnist/cnn …] [--again | --ranges]

Runs are drawn at random: how many users take part, on shards of what size, with which k and ε, under how much noise.
Their rounds are kept in analysis/out/surrogate/ (`--again` trains anew), the constants and errors go to
flnft_sim/learning/surrogate.json, with the ranges of what the fitted runs saw. Those follow from the draws: `--ranges`
writes them alone and trains nothing. MNIST and CIFAR-10 are needed in FLNFT_DATA for their workloads.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from flnft_sim.files import write_atomic
from flnft_sim.learning import (
    DATASETS,
    Dataset,
    FederatedLearner,
    Noise,
    Training,
    build_model,
    load_dataset,
    noise_scales,
    partition,
)
from flnft_sim.learning.batches import steps_per_epoch
from flnft_sim.learning.curves import Curve, Progress, noise_variance

TARGET = Path("flnft_sim/learning/surrogate.json")
CACHE = Path("analysis/out/surrogate")
BATCH_SIZE = 64
HELD_OUT_EVERY = 3  # runs 0, 3, 6 … of every workload are kept from the fit
RUNS_TO_HOLD_OUT_FROM = 10  # with fewer, all are needed for the fit, and the file says that none was held out
# how many runs, rounds of each, users who take part, smallest and largest shard (samples)
type Plan = tuple[int, int, tuple[int, int], tuple[int, int]]
PLANS: dict[str, Plan] = {
    "digits/mlp": (20, 100, (5, 20), (40, 200)),
    "digits/cnn": (20, 100, (5, 20), (40, 200)),
    "mnist/mlp": (10, 40, (4, 8), (300, 5000)),
    "mnist/cnn": (10, 40, (4, 8), (300, 4000)),
    "cifar10/mlp": (4, 40, (4, 8), (300, 1500)),
    "cifar10/cnn": (7, 40, (4, 8), (300, 1500)),
}
NOISELESS_SHARE = 0.5
SENSITIVITIES = (0.003, 0.3)  # Δf of a run with noise, drawn log-uniformly
EPOCHS_MAX = (1, 2, 5, 8)  # k is uniform in 1..one of these
# What all runs have in common, as fields of a scenario's `learning`; the surrogate knows nothing else.
COMMON = {
    "learning_rate": 0.01,
    "momentum": 0.5,
    "partition": "iid",
    "aggregator": "fedavg",
    "perturb": ["update", "none"],
    "clip_l1": None,
    "dropout": 0.0,
}


@dataclass(frozen=True)
class Design:
    """What a run is asked to do, drawn at random: per round and user (R, n), and how it is set up."""

    shards: list[np.ndarray]
    sensitivity: float
    noisy: bool
    users: np.ndarray
    epochs: np.ndarray
    privacy: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """Samples of those who take part."""
        return np.array([len(shard) for shard in self.shards])[self.users]

    @property
    def steps(self) -> np.ndarray:
        """Their local steps."""
        return self.epochs * steps_per_epoch(self.sizes, BATCH_SIZE)

    @property
    def scales(self) -> np.ndarray:
        """Their Laplace scales, 0 in a run without noise."""
        scales = [noise_scales(row, sensitivity=self.sensitivity, clip_l1=None) for row in self.privacy]
        return np.array(scales) * self.noisy


@dataclass(frozen=True)
class Run:
    """What one real run saw: per round and user (R, n), per round (R+1,) with the start first."""

    sizes: np.ndarray
    epochs: np.ndarray
    steps: np.ndarray
    scales: np.ndarray
    losses: np.ndarray
    gradient_norms: np.ndarray
    update_norms: np.ndarray
    accuracy: np.ndarray
    loss: np.ndarray

    @property
    def noisy(self) -> bool:
        """Whether noise was added."""
        return bool(self.scales.any())


def real_runs(workload: str, *, again: bool) -> list[Run]:
    """Train the workload's runs, or read them from the cache."""
    return [real_run(workload, seed, again=again) for seed in range(PLANS[workload][0])]


def real_run(workload: str, seed: int, *, again: bool) -> Run:
    """Train one run, or read it from the cache."""
    dataset_name, model_name = workload.split("/")
    path = CACHE / f"{dataset_name}-{model_name}-{seed}.npz"
    if again or not path.exists():
        run = _train(load_dataset(dataset_name), model_name, PLANS[workload], seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **vars(run))
        print(f"{workload} run {seed}: noisy {run.noisy}, accuracy {run.accuracy[-1]:.3f}", flush=True)
    with np.load(path) as stored:
        return Run(**{name: stored[name] for name in stored.files})


def draw(samples: int, plan: Plan, seed: int) -> Design:
    """Draw what a run on `samples` training samples is to do; the same seed, the same run."""
    _, rounds, taking_part, shard_range = plan
    rng = np.random.default_rng([seed, 2023])
    n = int(rng.integers(*taking_part, endpoint=True))
    shard = int(np.exp(rng.uniform(*np.log(shard_range))))
    users = max(n, samples // shard)
    noisy = bool(rng.random() >= NOISELESS_SHARE)
    sensitivity = float(np.exp(rng.uniform(*np.log(SENSITIVITIES))))
    epochs_max = int(rng.choice(EPOCHS_MAX))
    shards = partition("iid", np.zeros(samples, np.int64), users, rng=rng)
    rows = [
        (
            np.sort(rng.choice(users, n, replace=False)),
            rng.integers(1, epochs_max, n, endpoint=True),
            rng.uniform(1, 5, n),
        )
        for _ in range(rounds)
    ]
    return Design(shards, sensitivity, noisy, *map(np.array, zip(*rows, strict=True)))


def _train(dataset: Dataset, model_name: str, plan: Plan, seed: int) -> Run:
    design = draw(len(dataset.train_y), plan, seed)
    learner = FederatedLearner(
        dataset,
        build_model(model_name, dataset.input_shape, dataset.classes),
        design.shards,
        training=Training(batch_size=BATCH_SIZE),
        noise=Noise(sensitivity=design.sensitivity, perturb="update" if design.noisy else "none"),
        seed=seed,
    )
    rows: list[tuple[np.ndarray, ...]] = []
    scores = [learner.evaluate()]
    for index, (users, epochs, privacy) in enumerate(zip(design.users, design.epochs, design.privacy, strict=True)):
        updates = learner.train(index, users, epochs, privacy)
        learner.aggregate(updates, np.ones(len(users), bool))
        scores.append(learner.evaluate())
        rows.append((updates.losses, updates.gradient_norms, updates.update_norms))
    seen = map(np.array, zip(*rows, strict=True))
    return Run(design.sizes, design.epochs, design.steps, design.scales, *seen, *np.array(scores).T)


def fitted_ranges(workload: str) -> dict[str, list[float]]:
    """The least and the most that the fitted runs of a workload saw, by quantity; it follows from the draws alone."""
    plan = PLANS[workload]
    designs = [draw(DATASETS.facts(workload.split("/")[0]).samples, plan, seed) for seed in fitted_seeds(plan[0])]
    noise = [
        noise_variance(sizes, scales) ** 0.5
        for design in designs
        for sizes, scales in zip(design.sizes, design.scales, strict=True)
    ]
    seen = {
        "rounds": np.array([1, plan[1]]),
        "users": np.array([design.users.shape[1] for design in designs]),
        "samples_per_user": np.concatenate([design.sizes.ravel() for design in designs]),
        "batch_size": np.array([BATCH_SIZE]),
        "local_epochs": np.concatenate([design.epochs.ravel() for design in designs]),
        "local_steps": np.concatenate([design.steps.ravel() for design in designs]),
        "noise_deviation": np.array(noise),
    }
    ends = {name: (met.min().item(), met.max().item()) for name, met in seen.items()}
    return {name: [end if isinstance(end, int) else float(f"{end:.5g}") for end in pair] for name, pair in ends.items()}


def fitted_seeds(runs: int) -> list[int]:
    """Which of a workload's runs the curves are fitted to; the others are held out."""
    return [seed for seed in range(runs) if seed % HELD_OUT_EVERY or runs < RUNS_TO_HOLD_OUT_FROM]


def trajectory(curve: Curve, run: Run) -> Iterator[tuple[float, float, float]]:
    """Yield (accuracy, loss, work) as the surrogate sees the run, the start first."""
    progress = Progress(curve)
    yield curve.accuracy(0.0, 0.0), curve.loss(0.0, 0.0), 0.0
    for sizes, steps, scales in zip(run.sizes, run.steps, run.scales, strict=True):
        progress.advance(sizes, steps, scales)
        work, noise = progress.work, progress.noise
        yield curve.accuracy(work, noise), curve.loss(work, noise), work


# name → (start, lower, upper) of what is searched; positive ones in logarithms
SEARCHED = {
    "steps_exponent": (0.9, 0.3, 1.5),
    "accuracy_end": (0.97, 0.2, 1.0),
    "accuracy_work": (100.0, 1.0, 1e5),
    "accuracy_shape": (1.2, 0.3, 8.0),
    "accuracy_decay": (1.0, 0.05, 3.0),
    "accuracy_noise": (0.1, 1e-3, 10.0),
    "accuracy_noise_power": (2.0, 0.5, 8.0),
    "loss_end": (0.05, 1e-3, 2.0),
    "loss_work": (100.0, 1.0, 1e5),
    "loss_shape": (1.2, 0.3, 8.0),
    "loss_decay": (1.0, 0.05, 3.0),
    "loss_noise": (0.05, 1e-3, 10.0),
    "loss_noise_power": (2.0, 0.5, 8.0),
    "noise_memory": (0.7, 0.05, 0.99),
}


def fit(runs: Sequence[Run]) -> Curve:
    """Fit one workload's constants: the curves together, the rest by regressions on logarithms."""
    start_accuracy = float(np.mean([run.accuracy[0] for run in runs]))
    start_loss = float(np.mean([run.loss[0] for run in runs]))
    blank = dict.fromkeys(
        ("local_loss_ratio", "local_loss_epochs", "gradient_scale", "gradient_power"), 1.0
    ) | dict.fromkeys(("norm_scale", "norm_steps", "norm_work", "user_spread"), 1.0)

    def curve_of(x: np.ndarray) -> Curve:
        found = dict(zip(SEARCHED, np.exp(x).tolist(), strict=True))
        return Curve(accuracy_start=start_accuracy, loss_start=start_loss, **found, **blank)

    def residuals(x: np.ndarray) -> np.ndarray:
        curve, parts = curve_of(x), []
        for run in runs:
            accuracy, loss, _ = np.array(list(trajectory(curve, run))).T
            parts += [accuracy - run.accuracy, 0.3 * (loss - np.minimum(run.loss, start_loss))]
        return np.concatenate(parts)

    start, lower, upper = np.log(np.array(list(SEARCHED.values()))).T
    best = least_squares(residuals, start, bounds=(lower, upper), loss="soft_l1", f_scale=0.05)
    curve = curve_of(best.x)
    return Curve(**{**asdict(curve), **_local_constants(curve, runs)})


def _local_constants(curve: Curve, runs: Sequence[Run]) -> dict[str, float]:
    """Regress what users report on the test loss, k, local steps and work, in logarithms."""
    quiet = [run for run in runs if not run.noisy]
    loss, work, spread = [], [], []
    for run in quiet:
        loss.append(np.broadcast_to(run.loss[:-1, None], run.losses.shape))
        work.append(np.broadcast_to(np.array([w for *_, w in trajectory(curve, run)])[:-1, None], run.losses.shape))
        spread.append((np.log(run.losses) - np.log(run.losses).mean(axis=1, keepdims=True)).ravel())

    def flat(parts: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate([part.ravel() for part in parts])

    def regress(target: np.ndarray, *columns: np.ndarray) -> np.ndarray:
        return np.linalg.lstsq(np.stack([np.ones(len(target)), *columns], axis=1), target, rcond=None)[0]

    losses = np.log(flat([run.losses for run in quiet]))
    epochs = np.log(flat([run.epochs for run in quiet]))
    ratio, power = regress(losses - np.log(flat(loss)), epochs)
    gradient, gradient_power = regress(np.log(flat([run.gradient_norms for run in quiet])), losses)
    norm, norm_steps, norm_work = regress(
        np.log(flat([run.update_norms for run in quiet])),
        np.log(flat([run.steps for run in quiet])),
        np.log1p(flat(work)),
    )
    same_epochs = [s for s, run in zip(spread, quiet, strict=True) if run.epochs.max() == 1]
    return {
        "local_loss_ratio": float(np.exp(ratio)),
        "local_loss_epochs": float(power),
        "gradient_scale": float(np.exp(gradient)),
        "gradient_power": float(gradient_power),
        "norm_scale": float(np.exp(norm)),
        "norm_steps": float(norm_steps),
        "norm_work": float(norm_work),
        "user_spread": float(np.std(flat(same_epochs or spread))),
    }


def errors(curve: Curve, runs: Sequence[Run]) -> dict[str, float]:
    """State how far the curve is from runs."""
    return errors_of(curve.loss_start, runs, [trajectory(curve, run) for run in runs])


def errors_of(loss_start: float, runs: Sequence[Any], told: Sequence[Iterable[tuple[float, ...]]]) -> dict[str, float]:
    """State how far what is `told` (accuracy, loss) is from runs, the start left out: in points, in nats."""
    accuracy, loss = [], []
    for run, trajectory_of in zip(runs, told, strict=True):
        seen = np.array(list(trajectory_of))
        accuracy.append(100 * np.abs(seen[1:, 0] - run.accuracy[1:]))
        loss.append(np.abs(seen[1:, 1] - np.minimum(run.loss[1:], loss_start)))
    return {
        "accuracy_points_mean": round(float(np.mean(np.concatenate(accuracy))), 2),
        "accuracy_points_final": round(float(np.mean([part[-1] for part in accuracy])), 2),
        "accuracy_points_worst": round(float(np.max(np.concatenate(accuracy))), 2),
        "loss_mean": round(float(np.mean(np.concatenate(loss))), 3),
    }


def main() -> None:
    """Fit the chosen workloads, print the errors and write the constants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", nargs="+", choices=list(PLANS), default=list(PLANS))
    parser.add_argument("--again", action="store_true", help="train anew")
    parser.add_argument("--ranges", action="store_true", help="write what the fitted runs saw, leave the curves alone")
    options = parser.parse_args()
    document = json.loads(TARGET.read_text())
    document["common"] = COMMON
    table = []
    for workload in options.workloads:
        if options.ranges:
            document["workloads"][workload]["ranges"] = fitted_ranges(workload)
            continue
        runs = real_runs(workload, again=options.again)
        seeds = fitted_seeds(len(runs))
        fitted, held_out = [runs[seed] for seed in seeds], [run for seed, run in enumerate(runs) if seed not in seeds]
        curve = fit(fitted)
        entry = {
            "curve": {name: float(f"{value:.5g}") for name, value in asdict(curve).items()},
            "runs_fitted": len(fitted),
            "error_fitted": errors(curve, fitted),
            "runs_held_out": len(held_out),
            "error_held_out": errors(curve, held_out) if held_out else None,
            "ranges": fitted_ranges(workload),
        }
        document["workloads"][workload] = entry
        table.append({"workload": workload, "held out": len(held_out), **errors(curve, held_out or fitted)})
    document["about"] = "written by analysis/fit_surrogate.py; errors are absolute, over all rounds of a run"
    write_atomic(TARGET, json.dumps(document, indent=2) + "\n")
    if table:
        print(pd.DataFrame(table).to_string(index=False))


if __name__ == "__main__":
    main()
