"""What the mechanism `sound` can be told: how users compete and are measured, how a promise is made and kept."""

from dataclasses import dataclass
from typing import Annotated, Literal

from flnft_sim.knobs import Knob, Settings


@dataclass(frozen=True, kw_only=True)
class ContestSettings(Settings):
    """How users compete for a pot, and how their work and a model's quality are measured."""

    score_epochs_exponent: Annotated[
        float, Knob("`sound`: a in a user's score θ·k^a·ε^b, by which it shares the pot", gt=0, le=1)
    ] = 0.5
    score_privacy_exponent: Annotated[float, Knob("`sound`: b in the score; a + b is at most 1", ge=0, le=1)] = 0.05
    score_freshness_exponent: Annotated[
        float, Knob("`sound`: w, the score counts times max(0, 1 − T_i/T_ref)^w", ge=0, le=10)
    ] = 0.0
    quality_measure: Annotated[
        Literal["paper", "accuracy"],
        Knob("`sound`: Q of a model, Σθ^Q of what was delivered or its accuracy above chance", paper="Eq. 10"),
    ] = "accuracy"
    attestation: Annotated[
        Literal["arrival", "loss-drop", "enclave"],
        Knob(
            "`sound`: which claimed epochs count: all of an update that arrived, as many as the fall of the validation "
            "loss accounts for, or all unless two rounds trained anew in an enclave show others"
        ),
    ] = "loss-drop"


@dataclass(frozen=True, kw_only=True)
class SaleSettings(Settings):
    """What is promised and paid before delivery."""

    order: Annotated[
        Literal["presale", "postsale"],
        Knob("`sound`: sell a promise and train for the pot, or train for the pot that is foreseen and sell after"),
    ] = "presale"
    promised_epochs: Annotated[
        int | None, Knob("`sound`: epochs a round that are promised; none: game.default_epochs", ge=1, le=10_000)
    ] = None
    promise_spread: Annotated[
        int, Knob("`sound`: promises of categories range this much around it", unit="epochs", ge=0, le=10_000)
    ] = 0
    category_choice: Annotated[
        Literal["fixed", "forecast"],
        Knob("`sound`: a DAO keeps its category, or takes the one that its forecast of pots makes worth most"),
    ] = "fixed"
    delivery_deadline_s: Annotated[
        float, Knob("`sound`: what is not minted so long after the clearing is refunded", unit="s", gt=0, le=1e9)
    ] = 3600.0
    bond_money: Annotated[
        float, Knob("`sound`: what a DAO loses that wins and mints nothing", unit="money", ge=0, le=1e6)
    ] = 10.0
    value_cap: Annotated[float, Knob("`sound`: v_max, the most that a model is worth, in V_j", ge=1, le=1e6)] = 2.0
    lone_margin: Annotated[
        float, Knob("`sound`: a DAO of one user has no contest: it asks its cost and this part of it more", ge=0, le=10)
    ] = 0.1


@dataclass(frozen=True, kw_only=True)
class SoundFailures(Settings):
    """Who does not do what the mechanism counts on."""

    idle_daos: Annotated[
        int, Knob("`sound`: DAOs that ask a tenth, and mint nothing if they win", unit="count", ge=0, le=10_000)
    ] = 0
    skipping_users: Annotated[
        int, Knob("`sound`: users who claim the most epochs and train one", unit="count", ge=0, le=10_000_000)
    ] = 0
    lying_evaluators: Annotated[
        float, Knob("`sound`: share of replicas and winners who say of a model's quality what helps them", ge=0, le=1)
    ] = 0.0
    silent_committers: Annotated[
        int, Knob("`sound`: committers, of two an auction, who do not open their test set", unit="count", ge=0, le=1)
    ] = 0
