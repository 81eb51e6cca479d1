"""Audit a scenario's privacy in one run: what a claimed ε lets somebody find out who sees all that users share.

A user's shard is replaced by m canaries, each with a pixel of its own, and the model by one layer without hidden units:
so every canary's clipped gradient points, all but a hundredth of it, in a direction that no other record touches (a
Dirac). The scenario's engine then trains as it would, with its sampling, clipping, noise and number of steps, at a
learning rate so small that directions do not turn; what it shares tells the sum of all that the steps have seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flnft_sim.arrays import Bools, Floats
from flnft_sim.checks import whole
from flnft_sim.errors import InputError
from flnft_sim.learning import dp_noise_multiplier
from flnft_sim.learning.canaries import CANARIES, CONFIDENCE, audited_epsilon
from flnft_sim.learning.engines.base import PrivateDescent
from flnft_sim.learning.models import LayeredModel
from flnft_sim.learning.models.layers import Dense, Layers
from flnft_sim.learning.training import train_privately
from flnft_sim.scenario import Scenario

TIMES_THE_BOUND = 10.0  # a canary's gradient before it is clipped, in clipping bounds
STEP = 1e-7  # learning rate over the lot: all that is learnt stays far below what could turn a gradient


class Canaries(LayeredModel):
    """One dense layer on one pixel a canary, two classes."""

    name = "canaries"

    def choose_layers(self) -> Layers:
        """The layer."""
        return Layers((), (Dense(self.input_shape[2], 2),))


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What is audited: steps on lots of rate q, with noise σC on sums clipped to C, said to be (ε, δ)-private."""

    epsilon: float
    delta: float
    sampling_rate: float
    noise_multiplier: float
    steps: int
    clip_l2: float


@dataclass(frozen=True)
class PrivacyAudit:
    """What an audit found: a lower bound on ε a seed, each true with the confidence that all together have 95 %."""

    claim: Claim
    bounds: tuple[float, ...]

    @property
    def holds(self) -> bool:
        """Whether no bound refutes the claim; that a claim is not refuted does not prove it."""
        return max(self.bounds) <= self.claim.epsilon


def claims(settings: Scenario) -> list[Claim]:
    """The claims at both ends of the ε that users of a scenario may ask for; raises `InputError` if there is none."""
    privacy = settings.learning.privacy
    if not privacy.trains_privately:
        raise InputError(
            f"scenario {settings.name}: learning.privacy.mechanism {privacy.mechanism!r} claims no ε for a record; "
            "audit one with 'dp-sgd' or 'dp-secagg'"
        )
    epochs = privacy.planned_epochs or settings.learning.rounds * settings.most_epochs
    steps = int(np.ceil(epochs / privacy.sampling_rate))
    return [
        Claim(
            epsilon=epsilon,
            delta=privacy.delta,
            sampling_rate=privacy.sampling_rate,
            noise_multiplier=dp_noise_multiplier(privacy.sampling_rate, epsilon, steps, privacy.delta),
            steps=steps,
            clip_l2=privacy.clip_l2,
        )
        for epsilon in dict.fromkeys(settings.game.privacy_range)
    ]


def privacy_audit(
    claim: Claim,
    *,
    engine: str = "auto",
    device: str = "auto",
    seeds: Sequence[int] = (0, 1, 2),
    canaries: int = CANARIES,
) -> PrivacyAudit:
    """Audit a claim with that many canaries, once a seed."""
    whole("canaries", canaries, least=100)
    each = 1.0 - (1.0 - CONFIDENCE) / len(seeds)
    bounds = []
    for seed in seeds:
        included = np.random.default_rng([seed, 0]).random(canaries) < 0.5
        scores = engine_scores(claim, included, seed=seed, engine=engine, device=device)
        bounds.append(audited_epsilon(scores, included, delta=claim.delta, confidence=each))
    return PrivacyAudit(claim, tuple(bounds))


def engine_scores(claim: Claim, included: Bools, *, seed: int, engine: str = "auto", device: str = "auto") -> Floats:
    """What a training on the canaries that are in tells of each of them: (m,), how much the sums moved its way."""
    count = len(included)
    model, shard = Canaries((1, 1, count), 2), _shard(np.flatnonzero(included), count, claim.clip_l2)
    descent = PrivateDescent(
        first=np.zeros(1, np.int64),
        steps=np.array([claim.steps]),
        lots=np.ones(1),
        deviations=np.array([claim.noise_multiplier * claim.clip_l2]),
        sampling_rate=claim.sampling_rate,
        clip_l2=claim.clip_l2,
        lr=STEP / (claim.clip_l2 * max(claim.clip_l2, 1.0)),
        momentum=0.0,
        seed=seed,
    )
    start = np.zeros(model.parameter_count, np.float32)
    trained = train_privately(model, start, [shard], descent=descent, engine=engine, device=device)[0]
    weights = trained[: 2 * count].reshape(2, count)
    return (weights[0] - weights[1]).astype(np.float64)


def _shard(rows: np.ndarray, count: int, clip: float) -> tuple[np.ndarray, np.ndarray]:
    """Records of class 0, each bright in its own pixel alone.

    At parameters 0 the softmax is (½, ½), so the gradient of a canary of brightness a is (−½, ½)·a at its pixel and
    (−½, ½) at the bias: its norm is √((a² + 1)/2), nearly all of it its own.
    """
    images = np.zeros((len(rows), 1, 1, count), np.float32)
    images[np.arange(len(rows)), 0, 0, rows] = 2**0.5 * TIMES_THE_BOUND * max(clip, 1.0)
    return images, np.zeros(len(rows), np.int64)
