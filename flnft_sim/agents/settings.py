"""What agents are told: of a scenario's settings those that they act by, and nothing else of it.

A scenario has fields of these names in sections of these names; `handed_in` takes them from there.
"""

from dataclasses import dataclass, is_dataclass
from typing import Any, cast, get_type_hints


@dataclass(frozen=True)
class Devices:
    """What a member trains on."""

    cycles_per_sample: float | None
    cycles_per_flop: float
    memory_gb: float
    memory_ratio: float
    capacitance: float


@dataclass(frozen=True)
class Game:
    """Costs, tastes and limits in the decisions of users and providers."""

    alpha: float
    attestation: str
    beta: float
    budget_money: float
    cost_price: float
    damping: float | None
    decision_period_s: float
    decision_step_s: float
    decision_tolerance: float
    default_epochs: int
    epochs_max: int
    freshness_horizon_s: float
    leadership: Any
    mu0: float
    mu1: float
    privacy_range: tuple[float, float]
    quality_measure: str
    provider_utility: Any
    reputation: float
    reward_expectation: Any
    score_epochs_exponent: float
    score_freshness_exponent: float
    score_privacy_exponent: float
    sigma: float
    user_reply: Any
    valuation_money: float | None


@dataclass(frozen=True)
class Privacy:
    """What hides updates, and what it takes."""

    mechanism: str
    clip_l2: float
    colluders: int
    round_trip_s: float
    value_bits: int


@dataclass(frozen=True)
class Learning:
    """How long a minting is, who is asked to train, and what hides updates."""

    batch_size: int
    privacy: Privacy
    round_share: float
    rounds: int


@dataclass(frozen=True)
class Voting:
    """How members judge one another's asks."""

    estimate_noise: float
    inflation: float
    rule: str
    tolerance: float


@dataclass(frozen=True)
class Market:
    """How an auction goes."""

    ask_fraction: float
    auctions: int
    bidding_s: float
    bond_money: float
    category_choice: str
    clock_s: float
    delivery_deadline_s: float
    licence_s: float | None
    lone_margin: float
    order: str
    promise_spread: int
    promised_epochs: int | None
    rebid_step: float
    rebids_max: int
    reserve_money: float | None
    reserve_prior_money: float
    resale_share: float
    royalty: float
    rule: str
    value_cap: float
    voting: Voting


@dataclass(frozen=True)
class Failures:
    """What goes wrong, and how often."""

    dropout_rate: float
    forged_bids: int
    garbled_bids: int
    idle_daos: int
    link_failure_rate: float
    lie_factor: float
    link_repair_s: float
    lying_evaluators: float
    poison_scale: float
    replayed_bids: int
    return_s: float
    silent_committers: int
    skipping_users: int


@dataclass(frozen=True)
class Population:
    """From how many members on a DAO is a crowd."""

    crowd_from: int


@dataclass(frozen=True)
class PrivateLedger:
    """How a crowd's updates come together."""

    batch_every_s: float


@dataclass(frozen=True)
class PublicChain:
    """How much fits into a block."""

    gas_limit: int


@dataclass(frozen=True)
class Timeline:
    """When a round is over."""

    round_deadline_s: float | None


@dataclass(frozen=True)
class Settings:
    """All that agents are told, by section."""

    devices: Devices
    failures: Failures
    game: Game
    learning: Learning
    market: Market
    population: Population
    private_ledger: PrivateLedger
    public_chain: PublicChain
    timeline: Timeline


def handed_in[T](kind: type[T], source: Any) -> T:
    """Make a `kind` of the fields of the same names that `source` has, section by section."""
    hints: dict[str, Any] = get_type_hints(kind)
    values = {name: getattr(source, name) for name in hints}
    for name, hint in hints.items():
        if is_dataclass(hint):
            values[name] = handed_in(cast(type, hint), values[name])
    return kind(**values)
