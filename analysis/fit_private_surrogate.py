"""Fit the surrogate's curves of private training (DP-SGD): accuracy and loss against work and the noise that is left.

usage: python analysis/fit_private_surrogate.py [--workloads digits/mlp …] [--again]

Each workload (data set and model) is trained for real in runs drawn at random: how many users take part, on shards of
what size, for how many epochs a round, with which noise multipliers σ_i. What σ an ε needs is the accountant's
business and follows from (ε, δ, q, planned epochs E): so the curves are of (E, ε), although ε is in none of the runs.
Their rounds are kept in analysis/out/surrogate/ (`--again` trains anew), the constants and errors go to
flnft_sim/learning/private_surrogate.json. MNIST is needed in FLNFT_DATA for its workloads.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from fit_surrogate import SEARCHED, errors_of
from scipy.optimize import least_squares

from flnft_sim.files import write_atomic
from flnft_sim.learning import Dataset, build_model, load_dataset, partition
from flnft_sim.learning.curves import PrivateCurve, PrivateProgress, private_noise_variance
from flnft_sim.learning.engines.base import PrivateDescent
from flnft_sim.learning.training import evaluate, train_privately

TARGET = Path("flnft_sim/learning/private_surrogate.json")
CACHE = Path("analysis/out/surrogate")
HELD_OUT_EVERY = 3  # runs 0, 3, 6 … of every workload are kept from the fit
CLIP_L2 = 1.0
DEVIATION_SPREAD = 0.2  # of a user's log σ around the run's


@dataclass(frozen=True)
class Plan:
    """How the runs of a workload are drawn; pairs are ends of ranges."""

    runs: int
    rounds: int
    users: tuple[int, int]
    samples: tuple[int, int]
    sampling_rate: float
    learning_rate: float
    epochs_max: int
    noise: tuple[float, float]  # σ of a run, log-uniform; one in five runs has none


PLANS = {
    "digits/mlp": Plan(24, 60, (5, 16), (60, 200), 1.0, 2.0, 2, (3.0, 40.0)),
    "mnist/mlp": Plan(12, 20, (4, 10), (2000, 5000), 0.1, 8.0, 2, (1.0, 8.0)),
    "mnist/cnn": Plan(9, 20, (4, 10), (2000, 5000), 0.1, 4.0, 2, (1.0, 8.0)),
}
QUIET_EVERY = 5


@dataclass(frozen=True)
class Run:
    """What one real run saw: per round and user (R, n), per round (R+1,) with the start first."""

    lots: np.ndarray  # (n,) L
    weights: np.ndarray
    steps: np.ndarray
    noise: np.ndarray  # (n,) σ
    update_norms: np.ndarray
    accuracy: np.ndarray
    loss: np.ndarray


def real_run(workload: str, seed: int, *, again: bool) -> Run:
    """Train one run, or read it from the cache."""
    dataset_name, model_name = workload.split("/")
    path = CACHE / f"private-{dataset_name}-{model_name}-{seed}.npz"
    if again or not path.exists():
        run = _train(load_dataset(dataset_name, inputs="unit"), model_name, PLANS[workload], seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **vars(run))
        print(f"{workload} run {seed}: σ {run.noise.mean():.2f}, accuracy {run.accuracy[-1]:.3f}", flush=True)
    with np.load(path) as stored:
        return Run(**{name: stored[name] for name in stored.files})


def _train(dataset: Dataset, model_name: str, plan: Plan, seed: int) -> Run:
    rng = np.random.default_rng([seed, 2024])
    n, shard = int(rng.integers(*plan.users, endpoint=True)), int(np.exp(rng.uniform(*np.log(plan.samples))))
    users = max(n, len(dataset.train_y) // shard)
    rows = partition("iid", np.zeros(len(dataset.train_y), np.int64), users, rng=rng)[:n]
    shards = [(dataset.train_x[row], dataset.train_y[row]) for row in rows]
    is_quiet = seed % QUIET_EVERY == QUIET_EVERY - 1
    noise = np.full(n, np.exp(rng.uniform(*np.log(plan.noise))))
    noise = np.zeros(n) if is_quiet else noise * np.exp(DEVIATION_SPREAD * rng.standard_normal(n))
    epochs = rng.integers(1, plan.epochs_max, (plan.rounds, n), endpoint=True)
    if rng.random() < 0.5:
        epochs[:] = 1
    steps = np.ceil(epochs / plan.sampling_rate).astype(np.int64)
    lots = np.full(n, plan.sampling_rate * np.mean([len(row) for row in rows]))
    weights = np.full(n, 1 / n) if is_quiet else noise**-2.0 / (noise**-2.0).sum()
    model = build_model(model_name, dataset.input_shape, dataset.classes, activation="tanh")
    params = model.initial(int(rng.integers(2**31)))
    scores, norms = [evaluate(model, params, dataset.test_x, dataset.test_y)], []
    for number, count in enumerate(steps):
        descent = PrivateDescent(
            first=steps[:number].sum(axis=0).astype(np.int64) + np.zeros(n, np.int64),
            steps=count,
            lots=lots,
            deviations=noise * CLIP_L2,
            sampling_rate=plan.sampling_rate,
            clip_l2=CLIP_L2,
            lr=plan.learning_rate,
            momentum=0.0,
            seed=seed,
        )
        trained = train_privately(model, params, shards, descent=descent)
        norms.append(np.linalg.norm(trained - params, axis=1))
        params = (weights @ trained).astype(np.float32)
        scores.append(evaluate(model, params, dataset.test_x, dataset.test_y))
    accuracy, loss = np.array(scores).T
    return Run(lots, np.tile(weights, (plan.rounds, 1)), steps, noise, np.array(norms), accuracy, loss)


def deviations(run: Run, plan: Plan) -> np.ndarray:
    """A step's noise on each parameter of each user (n,)."""
    return plan.learning_rate * run.noise * CLIP_L2 / run.lots


def trajectory(curve: PrivateCurve, run: Run, plan: Plan) -> Iterator[tuple[float, float]]:
    """Yield (accuracy, loss) as the surrogate sees the run, the start first."""
    progress, noise = PrivateProgress(curve), deviations(run, plan)
    yield curve.accuracy(0.0, 0.0), curve.loss(0.0, 0.0)
    for weights, steps in zip(run.weights, run.steps, strict=True):
        progress.advance(weights, steps.astype(float), noise)
        yield curve.accuracy(progress.work, progress.noise), curve.loss(progress.work, progress.noise)


def fit(runs: Sequence[Run], plan: Plan) -> PrivateCurve:
    """Fit one workload's constants: the curves together, the norms by a regression on logarithms."""
    start_accuracy = float(np.mean([run.accuracy[0] for run in runs]))
    start_loss = float(np.mean([run.loss[0] for run in runs]))
    quiet = [run for run in runs if not run.noise.any()]
    steps, norms = (np.log(np.concatenate([part.ravel() for part in parts])) for parts in _quiet_norms(quiet))
    power, scale = np.polyfit(steps, norms, 1) if np.ptp(steps) else (1.0, float(np.mean(norms - steps)))

    def curve_of(x: np.ndarray) -> PrivateCurve:
        found = dict(zip(SEARCHED, np.exp(x).tolist(), strict=True))
        return PrivateCurve(
            accuracy_start=start_accuracy,
            loss_start=start_loss,
            norm_scale=float(np.exp(scale)),
            norm_steps=float(power),
            **found,
        )

    def residuals(x: np.ndarray) -> np.ndarray:
        curve, parts = curve_of(x), []
        for run in runs:
            accuracy, loss = np.array(list(trajectory(curve, run, plan))).T
            parts += [accuracy - run.accuracy, 0.3 * (loss - np.minimum(run.loss, start_loss))]
        return np.concatenate(parts)

    searched = SEARCHED | {"noise_memory": (0.97, 0.5, 1.0)}
    start, lower, upper = np.log(np.array(list(searched.values()))).T
    return curve_of(least_squares(residuals, start, bounds=(lower, upper), loss="soft_l1", f_scale=0.05).x)


def _quiet_norms(runs: Sequence[Run]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    return [run.steps.astype(float) for run in runs], [run.update_norms for run in runs]


def errors(curve: PrivateCurve, runs: Sequence[Run], plan: Plan) -> dict[str, float]:
    """State how far the curve is from runs."""
    return errors_of(curve.loss_start, runs, [trajectory(curve, run, plan) for run in runs])


def ranges(runs: Sequence[Run], plan: Plan) -> dict[str, list[float]]:
    """The least and the most that the fitted runs saw, by quantity."""
    left = [
        private_noise_variance(weights, steps.astype(float), deviations(run, plan)) ** 0.5
        for run in runs
        for weights, steps in zip(run.weights, run.steps, strict=True)
    ]
    seen = {
        "rounds": [1, plan.rounds],
        "users": [run.steps.shape[1] for run in runs],
        "samples_per_user": [float(run.lots.mean()) / plan.sampling_rate for run in runs],
        "local_epochs": [1, plan.epochs_max],
        "noise_deviation": left,
    }
    return {name: [float(f"{end:.5g}") for end in (min(met), max(met))] for name, met in seen.items()}


def main() -> None:
    """Fit the chosen workloads, print the errors and write the constants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", nargs="+", choices=list(PLANS), default=list(PLANS))
    parser.add_argument("--again", action="store_true", help="train anew")
    options = parser.parse_args()
    document = json.loads(TARGET.read_text()) if TARGET.exists() else {"workloads": {}}
    table = []
    for workload in options.workloads:
        plan = PLANS[workload]
        runs = [real_run(workload, seed, again=options.again) for seed in range(plan.runs)]
        fitted = [run for seed, run in enumerate(runs) if seed % HELD_OUT_EVERY]
        held_out = runs[::HELD_OUT_EVERY]
        curve = fit(fitted, plan)
        document["workloads"][workload] = {
            "curve": {name: float(f"{value:.5g}") for name, value in asdict(curve).items()},
            "runs_fitted": len(fitted),
            "error_fitted": errors(curve, fitted, plan),
            "runs_held_out": len(held_out),
            "error_held_out": errors(curve, held_out, plan),
            "ranges": ranges(fitted, plan),
            "trained_by": {
                "activation": "tanh",
                "inputs": "unit",
                "learning_rate": plan.learning_rate,
                "momentum": 0.0,
                "dropout": 0.0,
                "partition": "iid",
                "aggregator": "fedavg",
                "privacy": {
                    "clip_l2": CLIP_L2,
                    "sampling_rate": plan.sampling_rate,
                    "weights": "inverse-variance",
                },
            },
        }
        table.append({"workload": workload, "held out": len(held_out), **errors(curve, held_out, plan)})
    document["about"] = "written by analysis/fit_private_surrogate.py; errors are absolute, over all rounds of a run"
    write_atomic(TARGET, json.dumps(document, indent=2) + "\n")
    print(pd.DataFrame(table).to_string(index=False))


if __name__ == "__main__":
    main()
