"""Every knob of a scenario: its meaning, unit, default, allowed range, and where the paper sets it.

One frozen class a section, in the order of an episode. `flnft scenarios describe` prints this file as a table, and
docs/scenarios.md is generated from it. Unknown fields and out-of-range values are errors.

A field that comes later goes into `flnft_sim/sweeps/identity.py` with the value that means the behaviour from before,
so that runs computed earlier are still known.
"""

from dataclasses import dataclass
from math import exp
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from flnft_sim import families
from flnft_sim.scenario.names import registered
from flnft_sim.scenario.strict import Name, Strict
from flnft_sim.scenario.surrogate_scope import refuse_unknown

EXACT = 2**53 - 1  # the largest whole number that every reader of JSON keeps exactly (JavaScript has only doubles)
TRAFFIC_GAS = 50_000  # of every one of other people's transactions on the public chain
MOST_DELAY = 10  # mean block intervals that a block may travel: beyond, hardly any block lasts
MOST_BACKLOG = 1_000_000  # of other people's transactions, after a stall
LONGEST_S = 1e9  # 32 years; the resolution of a clock of doubles is then 10⁻⁷ s
MOST_MONEY = EXACT // 1_000_000  # in units of 10⁻⁶, see `flnft_sim.ledger`


def knob(default: Any, what: str, *, unit: str = "", paper: str = "", **limits: Any) -> Any:
    """A field with its meaning, unit and source in the paper; `limits` are pydantic's (ge, gt, le, lt …)."""
    return Field(default, description=what, json_schema_extra={"unit": unit, "paper": paper}, **limits)


def section(kind: type["Section"], what: str) -> Any:
    """A field that is a section of its own, made when a scenario is and not when this file is imported."""
    return Field(default_factory=kind, description=what)


class Section(Strict):
    """Strict and frozen: what a scenario says is what runs."""

    model_config = ConfigDict(validate_default=True, allow_inf_nan=False)


Range = tuple[float, float]


def ascending(pair: Range) -> Range:
    """Refuse a range whose lower end lies above its upper end."""
    if pair[0] > pair[1]:
        raise ValueError(f"the range is reversed; write [{pair[1]:g}, {pair[0]:g}]")
    return pair


@dataclass(frozen=True)
class Within:
    """Both numbers of a pair lie from `low` to `high`."""

    low: float
    high: float

    def __call__(self, pair: Range) -> Range:
        if not self.low <= min(pair) <= max(pair) <= self.high:
            raise ValueError("both numbers must lie in the allowed range")
        return pair

    def __str__(self) -> str:
        return f"both from {self.low:g} to {self.high:g}"


def pair_within(low: float, high: float) -> Any:
    """The limits of a field that is a pair of numbers, for its annotation."""
    limits = Within(low, high)
    return limits, AfterValidator(limits)


Share = Annotated[float, Field(ge=0, le=1)]


class Population(Section):
    """Who takes part."""

    users: int = knob(10, "N, Metaverse users over all DAOs", unit="count", paper="Table 2", ge=1, le=10_000_000)
    providers: int = knob(5, "M, service providers", unit="count", paper="Table 2", ge=1, le=100_000)
    daos: int = knob(1, "H, MU-DAOs; users are dealt out evenly", unit="count", paper="§6.1", ge=1, le=10_000)
    crowd_from: int = knob(
        2000,
        "DAOs of at least this many members move as a crowd: rows of arrays, not an agent each",
        ge=1,
        le=1_000_000_000,
    )
    categories: int = knob(
        1,
        "content categories: DAO h mints category h mod this; provider j demands j mod this",
        ge=1,
        le=10_000,
    )

    def moves_as_crowd(self, dao: int) -> bool:
        """Whether the DAO of that number has so many members that they are rows of arrays."""
        return len(range(dao, self.users, self.daos)) >= self.crowd_from

    @model_validator(mode="after")
    def _enough_of_each(self) -> "Population":
        if self.users < self.daos:
            raise ValueError(f"users ({self.users}) must be at least daos ({self.daos}): each DAO needs a member")
        if self.categories > self.daos:
            raise ValueError(f"categories ({self.categories}) must not exceed daos ({self.daos}): nobody would sell")
        if self.categories > self.providers:
            raise ValueError(
                f"categories ({self.categories}) must not exceed providers ({self.providers}): nobody would buy "
                f"category {self.providers}"
            )
        return self


class Devices(Section):
    """What users compute with."""

    cpu_ghz: Annotated[Range, AfterValidator(ascending), *pair_within(1e-3, 1e3)] = knob(
        (3.0, 5.0), "f_i, CPU clock, uniform", unit="GHz", paper="Table 2"
    )
    memory_gb: float = knob(8.0, "θ_i, device memory", unit="GB", paper="Table 2", gt=0, le=1e6)
    memory_ratio: Share = knob(0.5, "ξ_i, share of memory in use while training", paper="Table 2")
    capacitance: float = knob(1e-28, "ζ, effective switched capacitance", unit="F", paper="Eq. 6", gt=0, le=1e-9)
    cycles_per_flop: float = knob(
        0.3, "cycles per floating-point operation; Table 3's first row implies 0.2 to 0.4", unit="cycles", gt=0, le=1e6
    )
    cycles_per_sample: float | None = knob(
        None,
        "cycles to train on one sample once; none: FLOPs of the model × cycles_per_flop",
        unit="cycles",
        gt=0,
        le=1e15,
    )
    hosting: Literal["devices", "single-host"] = knob(
        "devices",
        "devices: users train side by side; single-host: one after the other, as the paper's testbed did",
    )


class Belief(Section):
    """How providers guess their rivals' bids from the public ledger."""

    kind: Annotated[str, registered(families.BELIEFS)] = knob("hmm", "kind of belief", paper="§5.1, Eq. 31–33")
    states: int = knob(4, "hidden states of the HMM", unit="count", ge=1, le=50)
    levels: int = knob(6, "bid levels (quantile bins)", unit="count", ge=2, le=100)
    refit_every: int = knob(10, "auctions between refits", unit="auctions", ge=1, le=1_000_000)
    min_history: int = knob(
        8, "observations before anything but the last bid is predicted", unit="auctions", ge=2, le=1_000_000
    )
    ewma_weight: float = knob(0.2, "weight of the newest bid in EWMA", gt=0, le=1)
    blend_weight: Share = knob(0.25, "weight of the HMM in `blend`; the rest is EWMA")


class Demand(Section):
    """The hidden demand regime that moves each provider's valuation from auction to auction."""

    factors: tuple[float, ...] = knob(
        (0.6, 1.0, 1.5), "valuation in each regime as a multiple of V", min_length=1, max_length=100
    )
    stay: Share = knob(0.9, "chance that a regime lasts another auction")
    cyclic: bool = knob(False, "regimes follow one another in order instead of at random")
    noise: float = knob(0.08, "standard deviation of log-normal noise on valuations", ge=0, le=2)

    @model_validator(mode="after")
    def _positive(self) -> "Demand":
        if min(self.factors) <= 0:
            raise ValueError(f"factors {list(self.factors)} must all be above 0")
        if not 1e-6 <= min(self.factors) <= max(self.factors) <= 1e6:
            raise ValueError(f"factors {list(self.factors)} must all be from 1e-6 to 1e6")
        return self


class Game(Section):
    """The game between users and providers: a simultaneous equilibrium of prices and answers."""

    sigma: float = knob(0.5, "σ in h(x) = x^(1−σ)/(1−σ), the fairness of a user's benefit", paper="Eq. 14", gt=0, lt=1)
    cost_price: float = knob(
        0.124,
        "money per cost unit and FL round; κ = this × rounds. The default puts k* near the paper's k⁰ = 5",
        unit="money",
        paper="Eq. 5, 14",
        ge=1e-9,
        le=1e6,
    )
    quality_elasticity: float = knob(0.5, "e^Q; e^F = 1 − e^Q", paper="Eq. 8–9", ge=0.05, le=0.95)
    elasticity_spread: float = knob(0.0, "e^Q of each provider is uniform within ± this", ge=0, lt=0.5)
    budget_money: float = knob(
        1000.0, "B_j, what a provider can spend", unit="money", paper="Table 2", ge=1e-6, le=MOST_MONEY
    )
    valuation_money: float | None = knob(
        None, "V_j, what access is worth to a provider; none: its budget", unit="money", ge=1e-6, le=MOST_MONEY
    )
    privacy_range: Annotated[Range, AfterValidator(ascending), *pair_within(1e-6, 1e6)] = knob(
        (1.0, 5.0), "allowed ε_i", paper="Table 2"
    )
    default_epochs: int = knob(5, "k⁰, local epochs of the schemes that do not play", paper="Table 2", ge=1, le=10_000)
    epochs_max: int = knob(20, "largest k_i, before the round deadline", unit="epochs", ge=1, le=10_000)
    mu0: float = knob(2.0, "numerator of a user's quality contribution", paper="Eq. 10, Table 2", ge=1e-6, le=1e6)
    mu1: float = knob(
        10.0, "added to the mean cross-entropy in its denominator", paper="Eq. 10, Table 2", ge=1e-6, le=1e6
    )
    alpha: Share = knob(0.3, "weight of energy against memory in the compute cost", paper="Eq. 6, Table 2")
    beta: float = knob(0.5, "weight of the privacy cost", paper="Eq. 7, Table 2", ge=1e-9, le=1e6)
    freshness_horizon_s: float = knob(
        100.0,
        "T_ref: the age at which an update is worth nothing for freshness",
        unit="s",
        paper="Eq. 12",
        ge=1e-3,
        le=LONGEST_S,
    )
    decision_period_s: float = knob(10.0, "T, the longest decision phase", unit="s", paper="Table 2", ge=1e-3, le=1e6)
    decision_step_s: float = knob(0.5, "one exchange of prices and answers", unit="s", ge=1e-3, le=1e6)
    decision_tolerance: float = knob(
        1e-6, "prices have settled below this relative change; the default is the last unit of money", gt=0, lt=1
    )
    damping: float | None = knob(
        None,
        "none: a decision settles as fast as it can (safeguarded secant); a number: foreseen answers move at most that "
        "part of the way in one exchange, as in the published runs (0.3)",
        gt=0,
        le=1,
    )
    user_reply: Literal["price-taking", "own-age"] = knob(
        "own-age",
        "price-taking: a user answers its reward as if its epochs did not move it (the paper); own-age: it counts that "
        "training longer makes its own update older",
        paper="Eq. 22",
    )
    reward_expectation: Literal["announced", "expected"] = knob(
        "announced", "users answer the announced reward (the paper) or the one weighted by winning chances"
    )
    belief: Belief = section(Belief, "how rivals' bids are guessed")
    demand: Demand = section(Demand, "hidden demand regimes")
    history_auctions: int = knob(
        60, "auctions on the ledger before the first measured one", unit="auctions", ge=0, le=100_000
    )

    @model_validator(mode="after")
    def _elasticities(self) -> "Game":
        low, high = (
            self.quality_elasticity - self.elasticity_spread,
            self.quality_elasticity + self.elasticity_spread,
        )
        if not (low >= 0.05 and high <= 0.95):
            raise ValueError(f"elasticity_spread puts e^Q in [{low:g}, {high:g}], which must lie inside [0.05, 0.95]")
        if self.decision_period_s > 10_000 * self.decision_step_s:
            raise ValueError(
                f"decision_step_s ({self.decision_step_s:g}) makes more than 10,000 exchanges in decision_period_s "
                f"({self.decision_period_s:g}); take longer steps"
            )
        return self


class Partition(Section):
    """Who holds which data."""

    kind: Annotated[str, registered(families.PARTITIONS)] = knob("iid", "how samples are dealt", paper="§6.1")
    alpha: float = knob(0.5, "`dirichlet`: smaller is more skewed", gt=0)
    shards_per_user: int = knob(2, "`shards`: label-sorted shards a user gets", ge=1, le=1_000_000)
    sizes: tuple[int, ...] | None = knob(None, "`sizes`: samples of each user", unit="samples")

    @model_validator(mode="after")
    def _sizes_given(self) -> "Partition":
        if self.kind == "sizes" and self.sizes is None:
            raise ValueError("kind 'sizes' needs sizes, one number of samples a user: sizes: [100, 200]")
        return self


class Learning(Section):
    """What is trained, on what, how."""

    learner: Literal["real", "surrogate"] = knob(
        "real", "train for real, or follow curves fitted to real runs, which refuse what they say nothing about"
    )
    dataset: Annotated[str, registered(families.DATASETS)] = knob("digits", "data set", paper="§6.1")
    data_dir: str | None = knob(None, "folder of data files; none: FLNFT_DATA, else the platform's cache")
    split: Literal["paper", "full"] = knob("paper", "`paper`: 50,000 training samples; `full`: all", paper="§6.1")
    samples_per_user: int | None = knob(
        None,
        "surrogate learner: samples each user holds; none: the data set dealt evenly",
        unit="samples",
        ge=1,
        le=1_000_000_000,
    )
    partition: Partition = section(Partition, "who holds which data")
    model: Annotated[str, registered(families.MODELS)] = knob("mlp", "model", paper="§6.1")
    dropout: float = knob(0.0, "dropout of the last convolution's channels and of every hidden unit", ge=0, lt=1)
    scheme: Annotated[str, registered(families.SCHEMES)] = knob("pms-am", "who trains, and how", paper="§6.2")
    round_share: float = knob(
        1.0, "share of users (largest loss or gradient norm) that a ranking scheme takes", gt=0, le=1
    )
    aggregator: Annotated[str, registered(families.AGGREGATORS)] = knob("fedavg", "aggregation", paper="§6.1")
    rounds: int = knob(100, "FL rounds before minting", unit="rounds", paper="§6.2", ge=1, le=100_000)
    batch_size: int = knob(64, "samples a mini-batch", unit="samples", paper="Table 2", ge=1, le=1_000_000)
    learning_rate: float = knob(0.01, "SGD learning rate", paper="Table 2", gt=0, le=1000)
    momentum: float = knob(0.5, "SGD momentum", paper="Table 2", ge=0, lt=1)
    perturb: Literal["update", "step", "none"] = knob("update", "where Laplace noise is added", paper="Eq. 4")
    sensitivity: float = knob(
        0.005, "Δf; the noise has scale Δf/ε_i (ignored with clip_l1)", paper="Eq. 4", ge=1e-12, le=1e6
    )
    clip_l1: float | None = knob(
        None, "L1 bound C of a shared update; sets Δf = 2C. Without it there is no privacy guarantee", ge=1e-9, le=1e9
    )
    engine: Literal["auto", "torch", "cpu"] = knob("auto", "training engine")
    device: Literal["auto", "cpu", "cuda"] = knob("auto", "where the torch engine runs")

    @model_validator(mode="after")
    def _surrogate_knows(self) -> "Learning":
        if self.learner == "surrogate":
            refuse_unknown(self)
        return self


class Radio(Section):
    """The shared uplink between users and the edge base station."""

    area_m: Annotated[Range, *pair_within(1.0, 1e5)] = knob(
        (1000.0, 1200.0), "width and height of the area", unit="m", paper="§6.1"
    )
    placement: Literal["trace", "random"] = knob(
        "random",
        "`trace`: ten fixed points (ours, the paper prints no coordinates); `random`: uniform",
        paper="Fig. 4",
    )
    bandwidth_mhz: float = knob(20.0, "ω, bandwidth of the shared uplink", unit="MHz", paper="Eq. 11", ge=1e-3, le=1e6)
    carrier_ghz: float = knob(3.5, "carrier frequency", unit="GHz", ge=0.01, le=1000)
    power_dbm: float = knob(23.0, "transmit power", unit="dBm", ge=-100, le=100)
    noise_figure_db: float = knob(7.0, "receiver noise figure", unit="dB", ge=0, le=100)
    base_height_m: float = knob(10.0, "antenna height of the base station", unit="m", gt=1, le=1000)
    user_height_m: float = knob(1.5, "antenna height of users", unit="m", gt=1, le=1000)
    shadowing_db: float = knob(4.0, "standard deviation of log-normal shadowing", unit="dB", ge=0, le=50)
    rayleigh: bool = knob(False, "Rayleigh fading, one draw an upload")
    cross_talk: Share = knob(
        1e-3, "part of other active uploads' power density that lands in one's own band (30 dB ACLR)"
    )
    movement: Literal["none", "random-waypoint"] = knob("none", "whether users walk about")
    speed_m_s: Annotated[Range, AfterValidator(ascending), *pair_within(1e-3, 1e3)] = knob(
        (0.5, 2.0), "`random-waypoint`: walking speed, uniform", unit="m/s"
    )
    pause_s: float = knob(5.0, "`random-waypoint`: rest at each waypoint", unit="s", ge=0, le=LONGEST_S)


class PrivateLedger(Section):
    """The DAO's own ledger, on which updates become final."""

    protocol: Annotated[str, registered(families.PROTOCOLS)] = knob("pbft", "consensus among the DAO's users")
    topology: Annotated[str, registered(families.TOPOLOGIES)] = knob("complete", "links between replicas")
    delay_ms: float = knob(50.0, "mean one-way delay of a link", unit="ms", ge=0, le=1e6)
    delay_sd_ms: float = knob(10.0, "standard deviation of a message's delay", unit="ms", ge=0, le=1e6)
    crashed: int = knob(0, "replicas that crash before the first round", unit="count", ge=0, le=1000)
    slow: int = knob(0, "replicas whose messages take ten times as long", unit="count", ge=0, le=1000)
    primary_crash_s: float | None = knob(
        None, "the primary crashes at this time and stays down", unit="s", ge=0, le=LONGEST_S
    )
    timeout_s: float = knob(2.0, "a replica asks for a new view after this long", unit="s", ge=1e-3, le=1e6)
    request_hop: bool = knob(
        True, "`pbft`: an update first travels from its user to the primary; without it, it is there at once"
    )
    batch_every_s: float = knob(
        1.0, "a crowd's updates become final by batches that begin at least this far apart", unit="s", ge=0, le=1e6
    )
    replicas_max: int = knob(100, "at most this many users keep replicas in a large DAO", unit="count", ge=1, le=1000)


class PublicChain(Section):
    """The public chain, on which models are minted and licences sold."""

    protocol: Annotated[str, registered(families.PROTOCOLS)] = knob(
        "pow", "consensus of the public chain", paper="§6.1"
    )
    block_interval_s: float = knob(13.0, "mean time between blocks", unit="s", ge=1e-3, le=1e6)
    gas_limit: int = knob(8_000_000, "gas a block holds", unit="gas", ge=21_000, le=EXACT)
    propagation_s: float = knob(0.42, "time for a block to reach the other miners", unit="s", ge=0, le=1e6)
    miners: int = knob(10, "equal miners", unit="count", ge=1, le=1000)
    confirmations: int = knob(1, "blocks until a transaction counts as final", unit="blocks", ge=1, le=1000)
    load_tx_per_s: float = knob(0.0, "other people's transactions that compete for gas", unit="1/s", ge=0, le=1e6)
    stall_at_s: float | None = knob(None, "the chain stops making blocks at this time", unit="s", ge=0, le=LONGEST_S)
    stall_for_s: float = knob(0.0, "how long it stops", unit="s", ge=0, le=LONGEST_S)

    @model_validator(mode="after")
    def _keeps_up(self) -> "PublicChain":
        """A chain that makes no progress would never let anything become final."""
        if self.protocol == "pow" and self.propagation_s > MOST_DELAY * self.block_interval_s:
            raise ValueError(
                f"propagation_s ({self.propagation_s:g}) must not exceed {MOST_DELAY} × block_interval_s "
                f"({self.block_interval_s:g}): hardly any block would last"
            )
        if self.load_tx_per_s == 0:
            return self
        if self.gas_limit < TRAFFIC_GAS:
            raise ValueError(
                f"gas_limit ({self.gas_limit}) is below the {TRAFFIC_GAS} gas of other people's transactions"
            )
        if not self.load_tx_per_s < self.capacity_tx_per_s:
            raise ValueError(
                f"load_tx_per_s ({self.load_tx_per_s:g}) must be below the {self.capacity_tx_per_s:.4g} transactions "
                f"a second that blocks hold (gas_limit / {TRAFFIC_GAS:,} every block_interval_s, less stale ones): "
                "the queue would grow for ever"
            )
        if self.stall_for_s * self.load_tx_per_s > MOST_BACKLOG * (1 - self.load):
            raise ValueError(
                f"stall_for_s ({self.stall_for_s:g}) leaves {self.stall_for_s * self.load_tx_per_s:.3g} transactions "
                f"of other people waiting; at most {MOST_BACKLOG * (1 - self.load):.3g} can be worked off at this load"
            )
        return self

    @property
    def capacity_tx_per_s(self) -> float:
        """Other people's transactions that blocks hold, a second; at the least where some blocks are stale."""
        travelling_s = self.propagation_s * (1 - 1 / self.miners) if self.protocol == "pow" else 0.0
        return self.gas_limit // TRAFFIC_GAS / (self.block_interval_s + travelling_s)

    @property
    def load(self) -> float:
        """The share of the capacity that other people take."""
        return self.load_tx_per_s / self.capacity_tx_per_s if self.load_tx_per_s else 0.0


class Voting(Section):
    """How members judge one another's asks."""

    rule: Annotated[str, registered(families.VOTING)] = knob("majority", "voting rule", paper="Eq. 34")
    tolerance: float = knob(0.05, "an ask may exceed a voter's own estimate by this share", ge=0, le=1e6)
    estimate_noise: float = knob(0.01, "relative error of a voter's estimate", ge=0, le=1)
    inflating_share: Share = knob(0.0, "share of users who ask for more than their due")
    inflation: float = knob(2.0, "by which factor they inflate", ge=1, le=1e6)


class Market(Section):
    """From asks to settled money."""

    rule: Annotated[str, registered(families.RULES)] = knob("pms-am", "clearing rule", paper="§5.2")
    auctions: int = knob(1, "measured minting episodes, each with its auction", unit="auctions", ge=1, le=100_000)
    ask_fraction: float = knob(
        1.0, "the ask of one licence = this × total ask / matched positive bidders", gt=0, le=1e6
    )
    reserve_money: float | None = knob(
        None,
        "reserve price of a licence; none: learned from past lowest asks on the ledger",
        unit="money",
        ge=0,
        le=MOST_MONEY,
    )
    reserve_prior_money: float = knob(
        150.0, "the reserve while the ledger has no past asks to learn from", unit="money", ge=0, le=MOST_MONEY
    )
    bidding_s: float = knob(120.0, "how long sealed bids are taken", unit="s", ge=1e-3, le=LONGEST_S)
    clock_s: float = knob(1800.0, "the auction clock, rebids included", unit="s", ge=1e-3, le=LONGEST_S)
    rebid_step: float = knob(0.05, "asks and bids move toward each other by this share when nobody wins", gt=0, lt=1)
    rebids_max: int = knob(10, "most rebids in an auction", unit="count", ge=0, le=10_000)
    auctioneer_money: float = knob(
        10_000.0,
        "what the contract holds to cover rules that run a deficit (vcg, pms-am-literal)",
        unit="money",
        ge=0,
        le=MOST_MONEY,
    )
    royalty: Share = knob(0.05, "the DAO's share of a licence's resale price")
    resale_share: Share = knob(0.0, "chance that a winner resells its licence to a loser after settlement")
    voting: Voting = section(Voting, "how members judge asks")


class Failures(Section):
    """What goes wrong, on purpose."""

    dropout_rate: Share = knob(0.0, "chance that a user drops out in a round")
    return_s: float = knob(5.0, "how long a dropped user stays away", unit="s", ge=0, le=LONGEST_S)
    link_failure_rate: Share = knob(0.0, "chance that an upload's link fails once")
    link_repair_s: float = knob(2.0, "how long a failed link is down", unit="s", ge=0, le=LONGEST_S)
    forged_bids: int = knob(0, "bids an outsider forges in a provider's name, an auction", unit="count", ge=0, le=1000)
    replayed_bids: int = knob(0, "old ciphertexts that are sent again, an auction", unit="count", ge=0, le=1000)
    garbled_bids: int = knob(0, "ciphertexts damaged on their way, an auction", unit="count", ge=0, le=1000)
    overspenders: int = knob(0, "providers that bid above their budget", unit="count", ge=0, le=100_000)
    withdrawing_daos: int = knob(0, "DAOs that withdraw before bidding opens", unit="count", ge=0, le=10_000)


class Timeline(Section):
    """The clock."""

    round_deadline_s: float | None = knob(
        None,
        "updates later than this after a round's start are dropped; none: wait for all",
        unit="s",
        gt=0,
        le=LONGEST_S,
    )
    longest_s: float = knob(
        1e8,
        "the run ends here if its story is not over: what takes longer is refused beforehand, or says who waits",
        unit="s",
        gt=0,
        le=LONGEST_S,
    )
    tick_s: float = knob(1.0, "simulated time of one Mesa step", unit="s", ge=1e-3, le=LONGEST_S)


class Scenario(Section):
    """One market, whole."""

    name: Name = knob("scenario", "what runs and folders are called")
    description: str = knob("", "one sentence for `flnft scenarios`")
    seed: int = knob(0, "the one number all random streams come from", ge=0, le=EXACT)
    population: Population = section(Population, "who takes part")
    devices: Devices = section(Devices, "what users compute with")
    game: Game = section(Game, "the game between users and providers")
    learning: Learning = section(Learning, "what is trained")
    radio: Radio = section(Radio, "the uplink")
    private_ledger: PrivateLedger = section(PrivateLedger, "the DAO's ledger")
    public_chain: PublicChain = section(PublicChain, "the public chain")
    market: Market = section(Market, "the auction")
    timeline: Timeline = section(Timeline, "the clock")
    failures: Failures = section(Failures, "what goes wrong on purpose")

    def __iter__(self) -> NoReturn:
        """A scenario is one value: Mesa's batch runs would take what can be iterated for a list of values."""
        raise TypeError("a Scenario is one value; its fields are in model_dump()")

    @model_validator(mode="after")
    def _fits_together(self) -> "Scenario":
        replicas = min(self.population.users // self.population.daos, self.private_ledger.replicas_max)
        ledger = self.private_ledger
        faults = ledger.crashed + (ledger.primary_crash_s is not None)
        if ledger.protocol == "pbft" and faults and replicas < 4:
            raise ValueError(
                f"private_ledger.crashed: PBFT survives faults from 4 replicas on, a DAO here has {replicas}; "
                "add users (or replicas_max), or set crashed to 0 and primary_crash_s to none"
            )
        if faults > replicas or ledger.slow > replicas:
            raise ValueError(f"private_ledger.crashed and slow must not exceed a DAO's {replicas} replicas")
        if self.population.moves_as_crowd(dao=0):  # none has more members than the first
            self._fits_a_crowd()
        if self.radio.placement == "trace" and self.population.users > 10:
            raise ValueError(
                f"radio.placement 'trace' has ten points, population.users is {self.population.users}; use 'random'"
            )
        self._money_is_exact()
        if self.public_chain.stall_at_s is not None and self.public_chain.stall_for_s > self.timeline.longest_s:
            raise ValueError(
                f"public_chain.stall_for_s ({self.public_chain.stall_for_s:g}) exceeds timeline.longest_s "
                f"({self.timeline.longest_s:g})"
            )
        if self.failures.overspenders > self.population.providers:
            raise ValueError("failures.overspenders must not exceed population.providers")
        if self.failures.withdrawing_daos > self.population.daos:
            raise ValueError("failures.withdrawing_daos must not exceed population.daos")
        return self

    def _money_is_exact(self) -> None:
        """The ledger counts money in units of 10⁻⁶, whole numbers that every reader of its JSON must keep exactly."""
        providers, game, market = self.population.providers, self.game, self.market
        valuation = game.valuation_money or game.budget_money
        amounts = {
            f"game.budget_money × population.providers ({providers:,}) × market.auctions ({market.auctions:,}) "
            "+ market.auctioneer_money": game.budget_money * providers * market.auctions + market.auctioneer_money,
            "the highest valuation (game.valuation_money or game.budget_money × game.demand.factors, and six "
            "game.demand.noise)": valuation * max(game.demand.factors) * exp(6 * game.demand.noise),
            "market.reserve_money": market.reserve_money or 0.0,
            "market.reserve_prior_money": market.reserve_prior_money,
        }
        for what, money in amounts.items():
            if not money <= MOST_MONEY:
                raise ValueError(
                    f"{what} is {money:.6g} of money, and the ledger counts at most {MOST_MONEY:,} exactly; choose less"
                )

    def _fits_a_crowd(self) -> None:
        """What a crowd of rows cannot do is refused, and not quietly left out."""
        crowd = f"DAOs of {self.population.crowd_from} members and more (population.crowd_from) move as crowds, which"
        if self.radio.cross_talk > 0:
            raise ValueError(f"radio.cross_talk: {crowd} need 0: every event would look at every upload under way")
        if self.devices.hosting == "single-host":
            raise ValueError(f"devices.hosting: {crowd} train on devices of their own; use 'devices'")
        if self.failures.link_failure_rate > 0:
            raise ValueError(f"failures.link_failure_rate: {crowd} have links that do not fail; use 0")
        if self.learning.learner == "real" and self.learning.scheme != "centralized":
            raise ValueError(f"learning.learner: {crowd} need 'surrogate'")
