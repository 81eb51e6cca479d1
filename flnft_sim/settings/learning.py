"""How users train, what noise hides what they share, and how data are dealt out."""

from dataclasses import dataclass
from typing import Annotated, Literal

from flnft_sim.knobs import Knob, Settings


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(Settings):
    """SGD on the users' devices; `engine` and `device` compute it."""

    batch_size: Annotated[int, Knob("samples a mini-batch", unit="samples", paper="Table 2", ge=1, le=1_000_000)] = 64
    learning_rate: Annotated[float, Knob("SGD learning rate", paper="Table 2", gt=0, le=1000)] = 0.01
    momentum: Annotated[float, Knob("SGD momentum", paper="Table 2", ge=0, lt=1)] = 0.5
    engine: Annotated[Literal["auto", "torch", "cpu"], Knob("training engine")] = "auto"
    device: Annotated[Literal["auto", "cpu", "cuda"], Knob("where the torch engine runs")] = "auto"


@dataclass(frozen=True, kw_only=True)
class RobustSettings(Settings):
    """What an aggregator that expects adversaries is prepared for."""

    byzantine_share: Annotated[
        float,
        Knob(
            "`trimmed-mean`, `krum`, `multi-krum`: share of the updates of a round, rounded down, that may be anything",
            ge=0,
            lt=0.5,
        ),
    ] = 0.2


@dataclass(frozen=True, kw_only=True)
class NoiseSettings(Settings):
    """Laplace noise on what users share (Eq. 4)."""

    perturb: Annotated[Literal["update", "step", "none"], Knob("where Laplace noise is added", paper="Eq. 4")] = (
        "update"
    )
    sensitivity: Annotated[
        float, Knob("Δf; the noise has scale Δf/ε_i (ignored with clip_l1)", paper="Eq. 4", ge=1e-12, le=1e6)
    ] = 0.005
    clip_l1: Annotated[
        float | None,
        Knob("L1 bound C of a shared update; sets Δf = 2C. Without it there is no privacy guarantee", ge=1e-9, le=1e9),
    ] = None


@dataclass(frozen=True, kw_only=True)
class PrivacySettings(Settings):
    """What hides a user's records: the paper's noise on updates, or clipping and noise in every step of training."""

    mechanism: Annotated[
        Literal["paper", "dp-sgd", "dp-secagg", "none"],
        Knob(
            "paper: Laplace noise on updates (perturb, sensitivity, clip_l1); dp-sgd: each record's gradient clipped, "
            "Gaussian noise in each user's every step; dp-secagg: the same with the noise shared among users, who show "
            "only the sum of one step; none: no noise"
        ),
    ] = "paper"
    delta: Annotated[float, Knob("`dp-*`: δ of the guarantee, below 1 / a user's records", ge=1e-12, le=0.1)] = 1e-5
    clip_l2: Annotated[
        float, Knob("`dp-*`: C, L2 bound of a record's gradient over all parameters", ge=1e-9, le=1e9)
    ] = 1.0
    lots: Annotated[
        Literal["poisson", "shuffled"],
        Knob("`dp-*`: each record joins each lot by its own coin; shuffled ones are refused, they reveal more"),
    ] = "poisson"
    sampling_rate: Annotated[
        float,
        Knob("`dp-*`: q, the coin's probability; an epoch is 1/q steps (rounded), 1 is the full batch", ge=1e-4, le=1),
    ] = 0.1
    planned_epochs: Annotated[
        int | None,
        Knob(
            "`dp-*`: E, epochs of a whole minting that a user's ε pays for; none: the most that all rounds may ask for",
            unit="epochs",
            ge=1,
            le=1_000_000,
        ),
    ] = None
    when_spent: Annotated[
        Literal["stop"], Knob("`dp-*`: once the planned epochs are over a user takes part no more in the minting")
    ] = "stop"
    weights: Annotated[
        Literal["inverse-variance", "shard"],
        Knob("`dp-*`: an update weighs 1/σ_i² in the aggregate, or as many records as its user has"),
    ] = "inverse-variance"
    colluders: Annotated[
        int,
        Knob(
            "`dp-secagg`: members who may side with the server or drop out; the others' noise is enough without theirs",
            unit="count",
            ge=0,
            le=1_000_000,
        ),
    ] = 0
    round_trip_s: Annotated[
        float,
        Knob("`dp-secagg`: to whoever sums and back, in each of the protocol's four rounds", unit="s", ge=0, le=1e6),
    ] = 0.1
    value_bits: Annotated[
        int, Knob("`dp-secagg`: of a parameter, a whole number under its mask", unit="bits", ge=1, le=64)
    ] = 16
    trusted_sizes: Annotated[
        bool,
        Knob(
            "`dp-*`: yes: everybody may know how many records a user has; no: lots, weights and times are those of the "
            "declared size, the data set dealt evenly"
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class ActivationSettings(Settings):
    """What a shipped model's hidden units do."""

    activation: Annotated[
        Literal["relu", "tanh"], Knob("of hidden units; tanh keeps gradients small, which clipping wants")
    ] = "relu"


@dataclass(frozen=True, kw_only=True)
class InputSettings(Settings):
    """How a data set of images is scaled."""

    inputs: Annotated[
        Literal["standard", "unit"],
        Knob(
            "pixels less their mean, by their deviation, as in the paper; or in [0, 1], where dark ones carry no noise"
        ),
    ] = "standard"


@dataclass(frozen=True, kw_only=True)
class DirichletSettings(Settings):
    """Proportions of each class, drawn from Dirichlet(α)."""

    alpha: Annotated[float, Knob("`dirichlet`: smaller is more skewed", gt=0)] = 0.5


@dataclass(frozen=True, kw_only=True)
class ShardsSettings(Settings):
    """Few labels a user."""

    shards_per_user: Annotated[int, Knob("`shards`: label-sorted shards a user gets", ge=1, le=1_000_000)] = 2


@dataclass(frozen=True, kw_only=True)
class SizesSettings(Settings):
    """Shards of given sizes."""

    sizes: Annotated[tuple[int, ...] | None, Knob("`sizes`: samples of each user", unit="samples")] = None
