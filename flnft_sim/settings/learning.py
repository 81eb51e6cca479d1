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
