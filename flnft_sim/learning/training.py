"""The doors to training: each validates once, chooses an engine, and lays its input out for it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from flnft_sim.arrays import Floats, Ints
from flnft_sim.checks import not_negative, positive, whole, within
from flnft_sim.learning.engines.base import Descent, PrivateDescent, Scorer, Shard, StepNoise, Trained, TrainingError
from flnft_sim.learning.engines.choice import choose_engine
from flnft_sim.learning.models import Model
from flnft_sim.learning.schemes import Ranking


def train_users(
    model: Model,
    params: np.ndarray,
    shards: Sequence[Shard],
    *,
    epochs: int | np.ndarray,
    batch_size: int,
    lr: float,
    momentum: float,
    seed: int,
    device: str = "auto",
    engine: str = "auto",
    users: np.ndarray | None = None,
    step_noise: StepNoise | None = None,
) -> Trained:
    """Train every user on its own shard, all at once; return (parameters (N, P), losses (N,), gradient norms (N,)).

    `params` is one start (P,) for all or one each (N, P); `epochs` one number or one each. SGD as PyTorch's, momentum
    starting at zero; the batches are `learning.batches.batch_plan(n, epochs, batch_size, seed, user)`, where `users`
    (default 0..N−1) are the users' own numbers. Loss and gradient norm are sample-weighted means over the steps of a
    user's last epoch: the mean cross-entropy before each update (dropout on), and the L2 norm of the raw mini-batch
    gradient. Raises `TrainingError`.
    """
    n = len(shards)
    users = _one_a_user("users", np.arange(n) if users is None else users, n, least=0)
    descent = _descent(epochs, n, batch_size, lr, momentum, seed)
    start, data = _starts(model, params, n), _all_checked(model, shards, users)
    choice = choose_engine(model, engine=engine, device=device, step_noise=step_noise is not None)
    if n == 0:
        return Trained(start.copy(), np.empty(0), np.empty(0))
    return choice.engine().train(model, start, data, descent, users=users, step_noise=step_noise)


def train_privately(
    model: Model,
    params: np.ndarray,
    shards: Sequence[Shard],
    *,
    descent: PrivateDescent,
    users: np.ndarray | None = None,
    device: str = "auto",
    engine: str = "auto",
) -> np.ndarray:
    """Train every user on its own shard by DP-SGD (`PrivateDescent`); return parameters (N, P) float32, and no more.

    `params` is one start (P,) for all or one each (N, P); `users` (default 0..N−1) are the users' own numbers, by which
    coins and noise are drawn: the same in every engine, to the byte. A user's `steps` may be 0. Raises `TrainingError`.
    """
    n = len(shards)
    users = _one_a_user("users", np.arange(n) if users is None else users, n, least=0)
    start, data, chosen = _starts(model, params, n), _all_checked(model, shards, users), _private(descent, n)
    choice = choose_engine(model, engine=engine, device=device, private=True)
    if n == 0:
        return start.copy()
    return choice.engine().train_privately(model, start, data, chosen, users=users)


def _private(descent: PrivateDescent, n: int) -> PrivateDescent:
    """Return the descent with its arrays (n,) in the types that the engines rely on."""
    within("sampling_rate", descent.sampling_rate, above=0.0, at_most=1.0, error=TrainingError)
    for name in ("lr", "clip_l2", "lots"):
        positive(name, getattr(descent, name), error=TrainingError)
    not_negative("deviations", descent.deviations, error=TrainingError)
    within("momentum", descent.momentum, at_least=0.0, below=1.0, error=TrainingError)
    counts: dict[str, Any] = {
        name: _one_a_user(name, getattr(descent, name), n, least=0) for name in ("first", "steps")
    }
    amounts: dict[str, Any] = {
        name: np.broadcast_to(getattr(descent, name), (n,)).astype(float) for name in ("lots", "deviations")
    }
    return replace(descent, **counts, **amounts)


def evaluate(
    model: Model, params: np.ndarray, x: np.ndarray, y: np.ndarray, *, device: str = "auto", engine: str = "auto"
) -> tuple[float, float]:
    """Return (accuracy, mean cross-entropy) of parameters (P,) on images and labels."""
    start, shard = _starts(model, params, 1)[0], _checked(model, (x, y), "evaluation")
    return choose_engine(model, engine=engine, device=device).engine().evaluate(model, start, shard)


def score_averages(
    model: Model, params: np.ndarray, x: np.ndarray, y: np.ndarray, *, device: str = "auto", engine: str = "auto"
) -> Scorer:
    """Return what scores averages of models (n, P) on images and labels: mixes (m, n) -> mean cross-entropy (m,).

    What the averages share is computed once, and kept for as long as the returned function is.
    """
    models = _starts(model, params, len(params))
    shard = _checked(model, (x, y), "validation")
    return choose_engine(model, engine=engine, device=device).engine().scorer(model, models, shard)


def rank_users(
    model: Model,
    params: np.ndarray,
    shards: Sequence[Shard],
    by: Ranking,
    *,
    device: str = "auto",
    engine: str = "auto",
) -> Floats:
    """Rank users at `params`: the mean loss (N,) over each whole shard, or the L2 norm (N,) of its mean gradient."""
    start, data = _starts(model, params, 1)[0], _all_checked(model, shards, range(len(shards)))
    return choose_engine(model, engine=engine, device=device).engine().rank(model, start, data, by)


def _descent(epochs: int | np.ndarray, n: int, batch_size: int, lr: float, momentum: float, seed: int) -> Descent:
    passes = np.full(n, epochs) if np.ndim(epochs) == 0 else np.asarray(epochs)
    whole("batch_size", batch_size, least=1, error=TrainingError)
    positive("lr", lr, error=TrainingError)
    within("momentum", momentum, at_least=0.0, below=1.0, error=TrainingError)
    return Descent(_one_a_user("epochs", passes, n, least=1), batch_size, lr, momentum, seed)


def _one_a_user(what: str, values: np.ndarray, n: int, *, least: int) -> Ints:
    """Return whole numbers (n,) as int64."""
    array = np.asarray(values)
    if array.shape != (n,) or (n and (array.dtype.kind not in "iu" or array.min() < least)):
        raise TrainingError(f"{what} {array.tolist()} must be {n} whole numbers, one a user, each at least {least}")
    return array.astype(np.int64)


def _starts(model: Model, params: np.ndarray, n: int) -> np.ndarray:
    """Return start parameters (n, P) float32; one start for all becomes a view without copies."""
    params = np.ascontiguousarray(params, np.float32)
    if params.ndim == 1:
        params = np.broadcast_to(params, (n, len(params)))
    if params.shape != (n, model.parameter_count):
        raise TrainingError(
            f"model {model.name} has {model.parameter_count} parameters; got an array of shape {params.shape} "
            f"for {n} users"
        )
    return params


def _all_checked(model: Model, shards: Sequence[Shard], owners: Iterable[object]) -> list[Shard]:
    return [_checked(model, shard, owner) for shard, owner in zip(shards, owners, strict=True)]


def _checked(model: Model, shard: Shard, owner: object) -> Shard:
    """Return a shard in the layout the engines rely on (they check no bounds)."""
    x, y = np.ascontiguousarray(shard[0], np.float32), np.ascontiguousarray(shard[1], np.int64)
    if x.shape[1:] != model.input_shape or y.shape != (len(x),) or len(x) == 0:
        raise TrainingError(
            f"data of user {owner}: images {x.shape} and labels {y.shape} do not fit model {model.name} for "
            f"images {model.input_shape}, at least one"
        )
    if y.min() < 0 or y.max() >= model.classes:
        wrong = y.max() if y.min() >= 0 else y.min()
        raise TrainingError(
            f"data of user {owner}: label {wrong} is out of range; labels must be in 0..{model.classes - 1}"
        )
    return x, y
