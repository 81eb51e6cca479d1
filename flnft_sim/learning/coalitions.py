"""Coalitions of users, as averages of updates that are trained already: what the models they make are worth."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from flnft_sim.arrays import Bools, Floats
from flnft_sim.learning.data import DataError
from flnft_sim.learning.engines.base import Scorer, Shard
from flnft_sim.learning.models import Model
from flnft_sim.learning.training import score_averages

MOST_LOSS = 100.0  # nats, of a model that is worse or whose loss is no number: it is as wrong as can be
MOST_PARAMETER = (
    1e6  # beyond, or no number, a model is none: mixed with others it must not spoil those that leave it out
)


class Coalitions:
    """The n models (n, P) that arrived in a round, and the start (P,) that they were trained from.

    A coalition's model is the average of its members' by their `weights` (n,), as in FedAvg, and nobody's is the start.
    Each is scored on the validation data at most once. `engine` and `device` are those of `learning.score_averages`.
    """

    def __init__(
        self,
        model: Model,
        start: np.ndarray,
        params: np.ndarray,
        weights: np.ndarray,
        validation: Shard | None,
        *,
        engine: str = "auto",
        device: str = "auto",
    ) -> None:
        self._model, self._start, self._params, self._weights = model, start, params, np.asarray(weights, float)
        self._broken = ~(np.abs(params).max(axis=1) <= MOST_PARAMETER)
        self._validation, self._engine, self._device = validation, engine, device
        self._losses: dict[bytes, float] = {}  # of coalitions, by their packed masks

    def __len__(self) -> int:
        return len(self._params)

    @property
    def updates(self) -> np.ndarray:
        """What each sent less the start, (n, P) float32."""
        return self._params - self._start

    def step(self, weights: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return by how much a model of these named arrays is away from the start: (P,)."""
        return self._model.flatten(weights) - self._start

    @property
    def samples(self) -> int:
        """How many samples the validation data are."""
        return 0 if self._validation is None else len(self._validation[1])

    @property
    def scored(self) -> int:
        """How many models have been scored so far, the start among them."""
        return len(self._losses)

    def worth(self, masks: Bools) -> Floats:
        """Return by how much each coalition (m, n) lowers the start's loss, in nats (m,).

        Raises `DataError` where there are no validation data.
        """
        return self._loss(np.zeros((1, len(self)), dtype=bool)) - self._loss(np.asarray(masks, dtype=bool))

    def _loss(self, masks: Bools) -> Floats:
        keys = [packed.tobytes() for packed in np.packbits(masks, axis=1)]
        missing = [row for key, row in {key: row for row, key in enumerate(keys)}.items() if key not in self._losses]
        if missing:
            losses = self._scorer(self._mixes(masks[missing]))
            losses[(masks[missing] & self._broken).any(axis=1)] = MOST_LOSS
            losses = np.minimum(np.nan_to_num(losses, nan=MOST_LOSS), MOST_LOSS)
            self._losses.update(zip((keys[row] for row in missing), losses.tolist(), strict=True))
        return np.array([self._losses[key] for key in keys])

    def _mixes(self, masks: Bools) -> Floats:
        """Shares (m, n + 1) of the members' models and of the start, which stands for nobody."""
        shares = np.concatenate([masks * self._weights, ~masks.any(axis=1, keepdims=True)], axis=1)
        return shares / shares.sum(axis=1, keepdims=True)

    @cached_property
    def _scorer(self) -> Scorer:
        if self._validation is None:
            raise DataError("coalitions cannot be scored without validation data; set learning.validation_share")
        models = np.concatenate([np.where(self._broken[:, None], np.float32(0), self._params), self._start[None]])
        return score_averages(self._model, models, *self._validation, engine=self._engine, device=self._device)
