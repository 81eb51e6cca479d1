"""Every knob of a scenario: its meaning, unit, default, allowed range, and where the paper sets it.

One frozen class a section, in the order of an episode. `flnft scenarios describe` prints this file as a table, and
docs/scenarios.md is generated from it. Unknown fields and out-of-range values are errors.

A field that comes later goes into `flnft_sim/sweeps/identity.py` with the value that means the behaviour from before,
so that runs computed earlier are still known.
"""

from math import exp
from typing import Annotated, Any, Literal, NoReturn

from pydantic import Field, model_validator

from flnft_sim import families
from flnft_sim.chain.limits import MAX_ASKS, MAX_BIDS
from flnft_sim.imports import Source, bring_in, offer, source_of
from flnft_sim.knobs import Knob, knobs
from flnft_sim.scenario.adversaries import refuse_adversaries
from flnft_sim.scenario.aggregators import refuse_outnumbered
from flnft_sim.scenario.asks import asks_of, refuse_other_asks
from flnft_sim.scenario.measures import refuse_unmeasurable
from flnft_sim.scenario.names import Chosen, Named
from flnft_sim.scenario.own_data import OWN_DATA, pinned_data
from flnft_sim.scenario.promises import refuse_impossible_promises
from flnft_sim.scenario.sections import Choice, Section
from flnft_sim.scenario.strict import Name
from flnft_sim.scenario.surrogate_scope import refuse_unknown
from flnft_sim.settings.adversaries import AdversarySettings
from flnft_sim.settings.beliefs import BeliefSettings, DemandSettings
from flnft_sim.settings.consensus import TRAFFIC_GAS, MiningSettings, ReplicaSettings
from flnft_sim.settings.game import FairSettings, ShapleySettings
from flnft_sim.settings.learning import (
    ActivationSettings,
    DirichletSettings,
    InputSettings,
    NoiseSettings,
    PrivacySettings,
    RobustSettings,
    ShardsSettings,
    SizesSettings,
    TrainingSettings,
)
from flnft_sim.settings.radio import AREA_M, DownlinkSettings, RadioSettings, WalkSettings
from flnft_sim.settings.rules import ValuesSettings
from flnft_sim.settings.sound import ContestSettings, SaleSettings, SoundFailures

PAPERS_INCENTIVES = ("fair", "linear", "proportional")
EXACT = 2**53 - 1  # the largest whole number that every reader of JSON keeps exactly (JavaScript has only doubles)
MOST_DELAY = 10  # mean block intervals that a block may travel: beyond, hardly any block lasts
MOST_BACKLOG = 1_000_000  # of other people's transactions, after a stall
MOST_EPSILON = 20.0  # of a record: odds of 5·10⁸
LONGEST_S = 1e9  # 32 years; the resolution of a clock of doubles is then 10⁻⁷ s
MOST_MONEY = EXACT // 1_000_000  # in units of 10⁻⁶, see `flnft_sim.ledger`


def section(kind: type["Section"], what: str) -> Any:
    """A field that is a section of its own, made when a scenario is and not when this file is imported."""
    return Field(default_factory=kind, description=what)


Range = tuple[float, float]


class Import(Section, frozen=True):
    """A file of parts of one's own, as it was when the scenario was resolved."""

    file: Annotated[str, Knob("its name, without a folder")]
    sha256: Annotated[str, Knob("of its content")]

    @model_validator(mode="after")
    def _brought_in(self) -> "Import":
        """Run it: the names of the parts in the scenario's other sections are checked next."""
        bring_in(self.file, self.sha256)
        return self


class Population(Section, frozen=True):
    """Who takes part."""

    users: Annotated[
        int, Knob("N, Metaverse users over all DAOs", unit="count", paper="Table 2", ge=1, le=10_000_000)
    ] = 10
    providers: Annotated[int, Knob("M, service providers", unit="count", paper="Table 2", ge=1, le=100_000)] = 5
    daos: Annotated[
        int, Knob("H, MU-DAOs; users are dealt out evenly", unit="count", paper="§6.1", ge=1, le=10_000)
    ] = 1
    crowd_from: Annotated[
        int,
        Knob(
            "DAOs of at least this many members move as a crowd: rows of arrays, not an agent each; where more vote, "
            "all share one estimate of each ask",
            ge=1,
            le=1_000_000_000,
        ),
    ] = 2000
    categories: Annotated[
        int, Knob("content categories: DAO h mints category h mod this; provider j demands j mod this", ge=1, le=10_000)
    ] = 1

    keywords: Annotated[
        int,
        Knob(
            "keywords that there are; where there are any, FL-NFTs carry some and providers demand some", ge=0, le=1000
        ),
    ] = 0
    keywords_carried: Annotated[
        int, Knob("how many of them each DAO's FL-NFTs carry, drawn", unit="count", ge=1, le=20)
    ] = 1
    keywords_demanded: Annotated[
        tuple[int, int],
        Knob("how many of them each provider demands, drawn between these", unit="count", ge=0, le=20, rising=True),
    ] = (0, 1)

    def moves_as_crowd(self, dao: int) -> bool:
        """Whether the DAO of that number has so many members that they are rows of arrays."""
        return len(range(dao, self.users, self.daos)) >= self.crowd_from

    @model_validator(mode="after")
    def _enough_of_each(self) -> "Population":
        if self.users < self.daos:
            raise ValueError(f"users ({self.users}) must be at least daos ({self.daos}): each DAO needs a member")
        self._keywords_can_be_met()
        if self.categories > self.daos:
            raise ValueError(f"categories ({self.categories}) must not exceed daos ({self.daos}): nobody would sell")
        if self.categories > self.providers:
            raise ValueError(
                f"categories ({self.categories}) must not exceed providers ({self.providers}): nobody would buy "
                f"category {self.providers}"
            )
        return self

    def _keywords_can_be_met(self) -> None:
        if self.keywords and self.keywords_carried > self.keywords:
            raise ValueError(f"keywords_carried ({self.keywords_carried}) must not exceed keywords ({self.keywords})")
        if self.keywords and self.keywords_demanded[1] > self.keywords_carried:
            raise ValueError(
                f"keywords_demanded ({self.keywords_demanded[1]} at most) must not exceed keywords_carried "
                f"({self.keywords_carried}): no FL-NFT would ever meet it"
            )


class Devices(Section, frozen=True):
    """What users compute with."""

    cpu_ghz: Annotated[
        Range, Knob("f_i, CPU clock, uniform", unit="GHz", paper="Table 2", rising=True, ge=0.001, le=1000.0)
    ] = (3.0, 5.0)
    memory_gb: Annotated[float, Knob("θ_i, device memory", unit="GB", paper="Table 2", gt=0, le=1e6)] = 8.0
    memory_ratio: Annotated[float, Knob("ξ_i, share of memory in use while training", paper="Table 2", ge=0, le=1)] = (
        0.5
    )
    capacitance: Annotated[float, Knob("ζ, effective switched capacitance", unit="F", paper="Eq. 6", gt=0, le=1e-9)] = (
        1e-28
    )
    cycles_per_flop: Annotated[
        float,
        Knob(
            "cycles per floating-point operation; Table 3's first row implies 0.2 to 0.4", unit="cycles", gt=0, le=1e6
        ),
    ] = 0.3
    cycles_per_sample: Annotated[
        float | None,
        Knob(
            "cycles to train on one sample once; none: FLOPs of the model × cycles_per_flop",
            unit="cycles",
            gt=0,
            le=1e15,
        ),
    ] = None
    hosting: Annotated[
        Literal["devices", "single-host"],
        Knob("devices: users train side by side; single-host: one after the other, as the paper's testbed did"),
    ] = "devices"


class Belief(Choice, BeliefSettings, frozen=True):
    """How providers guess their rivals' bids from the public ledger."""

    kind: Annotated[str, Chosen(families.BELIEFS), Knob("kind of belief", paper="§5.1, Eq. 31–33")] = "hmm"


class Demand(Section, DemandSettings, frozen=True):
    """The hidden demand regime that moves each provider's valuation from auction to auction."""


class Game(Choice, FairSettings, ShapleySettings, ContestSettings, frozen=True):
    """The game between users and providers: prices and answers (`paper`), or a contest for a pot (`sound`)."""

    utility: Annotated[
        str, Chosen(families.UTILITIES), Knob("what a user makes of reward, effort and cost", paper="Eq. 14")
    ] = "fair"
    cost: Annotated[str, Chosen(families.COSTS), Knob("what effort costs a user", paper="Eq. 5")] = "linear"
    reward: Annotated[
        str,
        Chosen(families.REWARDS),
        Knob("what a contribution weighs when money is shared among users", paper="Eq. 13"),
    ] = "proportional"
    contribution: Annotated[
        str,
        Chosen(families.CONTRIBUTIONS),
        Knob(
            "by which measure of what they contributed users are paid; any but `paper` weighs freshness too",
            paper="Eq. 10",
        ),
    ] = "paper"
    measures: Annotated[
        tuple[Annotated[str, Named(families.CONTRIBUTIONS)], ...],
        Knob("measures of contributions that are taken beside it, for the table `contributions`", items=(0, 20)),
    ] = ()
    reputation: Annotated[
        float,
        Knob(
            "λ: pay is scaled by ρ ← λ·ρ + (1 − λ)·n·c/Σc, c by `contribution`, or by the first of `measures` where "
            "that is `paper`; 0: by nothing",
            ge=0,
            lt=1,
        ),
    ] = 0.0
    cost_price: Annotated[
        float,
        Knob(
            "money per cost unit and FL round; κ = this × rounds. The default puts k* near the paper's k⁰ = 5",
            unit="money",
            paper="Eq. 5, 14",
            ge=1e-9,
            le=1e6,
        ),
    ] = 0.124
    quality_elasticity: Annotated[float, Knob("e^Q; e^F = 1 − e^Q", paper="Eq. 8–9", ge=0.05, le=0.95)] = 0.5
    elasticity_spread: Annotated[float, Knob("e^Q of each provider is uniform within ± this", ge=0, lt=0.5)] = 0.0
    budget_money: Annotated[
        float, Knob("B_j, what a provider can spend", unit="money", paper="Table 2", ge=1e-6, le=MOST_MONEY)
    ] = 1000.0
    valuation_money: Annotated[
        float | None,
        Knob("V_j, what access is worth to a provider; none: its budget", unit="money", ge=1e-6, le=MOST_MONEY),
    ] = None
    privacy_range: Annotated[Range, Knob("allowed ε_i", paper="Table 2", rising=True, ge=1e-06, le=1000000.0)] = (
        1.0,
        5.0,
    )
    privacy_taste: Annotated[
        Range,
        Knob("how dear privacy is to a user: its C^p is this times Eq. 7's, uniform", rising=True, ge=0.0, le=1e6),
    ] = (1.0, 1.0)
    default_epochs: Annotated[
        int, Knob("k⁰, local epochs of the schemes that do not play", paper="Table 2", ge=1, le=10_000)
    ] = 5
    epochs_max: Annotated[int, Knob("largest k_i, before the round deadline", unit="epochs", ge=1, le=10_000)] = 20
    mu0: Annotated[
        float, Knob("numerator of a user's quality contribution", paper="Eq. 10, Table 2", ge=1e-6, le=1e6)
    ] = 2.0
    mu1: Annotated[
        float, Knob("added to the mean cross-entropy in its denominator", paper="Eq. 10, Table 2", ge=1e-6, le=1e6)
    ] = 10.0
    alpha: Annotated[
        float, Knob("weight of energy against memory in the compute cost", paper="Eq. 6, Table 2", ge=0, le=1)
    ] = 0.3
    beta: Annotated[float, Knob("weight of the privacy cost", paper="Eq. 7, Table 2", ge=1e-9, le=1e6)] = 0.5
    freshness_horizon_s: Annotated[
        float,
        Knob(
            "T_ref: the age at which an update is worth nothing for freshness",
            unit="s",
            paper="Eq. 12",
            ge=1e-3,
            le=LONGEST_S,
        ),
    ] = 100.0
    decision_period_s: Annotated[
        float, Knob("T, the longest decision phase", unit="s", paper="Table 2", ge=1e-3, le=1e6)
    ] = 10.0
    decision_step_s: Annotated[float, Knob("one exchange of prices and answers", unit="s", ge=1e-3, le=1e6)] = 0.5
    decision_tolerance: Annotated[
        float, Knob("prices have settled below this relative change; the default is the last unit of money", gt=0, lt=1)
    ] = 1e-6
    damping: Annotated[
        float | None,
        Knob(
            "none: a decision settles as fast as it can (safeguarded secant); a number: foreseen answers move at most "
            "that part of the way in one exchange, as in the published runs (0.3)",
            gt=0,
            le=1,
        ),
    ] = None
    engine: Annotated[
        Literal["auto", "arrays", "compiled"],
        Knob(
            "how decisions are found, to the same numbers but for roundings; compiled: by loops, far faster where DAOs "
            "are small, once they are compiled on this machine; auto: compiled where a run holds many"
        ),
    ] = "auto"
    user_reply: Annotated[
        Literal["price-taking", "own-age"],
        Knob(
            "price-taking: a user answers its reward as if its epochs did not move it (the paper); own-age: it counts "
            "that training longer makes its own update older",
            paper="Eq. 22",
        ),
    ] = "own-age"
    leadership: Annotated[
        Literal["simultaneous", "anticipating"],
        Knob(
            "simultaneous: providers take users' answers as given (the paper's best responses); anticipating: they "
            "lead, and count how answers move with their prices",
            paper="Eq. 29",
        ),
    ] = "simultaneous"
    provider_utility: Annotated[
        Literal["printed", "money"],
        Knob(
            "Ψ of one dimension; printed: w·(V − q) − q·s, with a price per unit taken from money; money: w·V − q·s",
            paper="Eq. 16",
        ),
    ] = "printed"
    reward_expectation: Annotated[
        Literal["announced", "expected"],
        Knob("users answer the announced reward (the paper) or the one weighted by winning chances"),
    ] = "announced"
    belief: Belief = section(Belief, "how rivals' bids are guessed")
    demand: Demand = section(Demand, "hidden demand regimes")
    history_auctions: Annotated[
        int, Knob("auctions on the ledger before the first measured one", unit="auctions", ge=0, le=100_000)
    ] = 60

    @model_validator(mode="after")
    def _scores_are_concave(self) -> "Game":
        a, b = self.score_epochs_exponent, self.score_privacy_exponent
        if a + b > 1:
            raise ValueError(
                f"score_epochs_exponent + score_privacy_exponent (a + b) is {a + b:g}: a score with returns above 1 "
                "has no equilibrium; let them sum up to 1 at most"
            )
        return self

    @model_validator(mode="after")
    def _answers_exist(self) -> "Game":
        if self.user_reply == "price-taking" and (self.utility, self.cost, self.reward) != PAPERS_INCENTIVES:
            raise ValueError(
                "user_reply 'price-taking' is the closed form for the paper's utility, cost and reward "
                f"({', '.join(PAPERS_INCENTIVES)}); with {self.utility}, {self.cost}, {self.reward} use 'own-age'"
            )
        return self

    @model_validator(mode="after")
    def _leaders_foresee(self) -> "Game":
        papers = (self.utility, self.cost, self.reward) == PAPERS_INCENTIVES
        if self.leadership == "anticipating" and not (
            papers and self.damping is None and self.reward_expectation == "announced"
        ):
            raise ValueError(
                "leadership 'anticipating' foresees users' answers in closed form to announced rewards; use it with "
                f"utility, cost, reward = {', '.join(PAPERS_INCENTIVES)}, without damping, and with "
                "reward_expectation 'announced'"
            )
        return self

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


class Partition(Choice, DirichletSettings, ShardsSettings, SizesSettings, frozen=True):
    """Who holds which data."""

    kind: Annotated[str, Chosen(families.PARTITIONS), Knob("how samples are dealt", paper="§6.1")] = "iid"

    @model_validator(mode="after")
    def _sizes_given(self) -> "Partition":
        if self.kind == "sizes" and self.sizes is None:
            raise ValueError("kind 'sizes' needs sizes, one number of samples a user: sizes: [100, 200]")
        return self


class Privacy(Section, PrivacySettings, frozen=True):
    """What hides a user's records, and how much of it."""

    @property
    def trains_privately(self) -> bool:
        """Whether gradients are clipped and noised while training, so that a user's ε holds for its records."""
        return self.mechanism in ("dp-sgd", "dp-secagg")

    @model_validator(mode="after")
    def _lots_are_accounted(self) -> "Privacy":
        if self.trains_privately and self.lots == "shuffled":
            raise ValueError(
                f"lots 'shuffled' under {self.mechanism}: ε is accounted for lots that each record joins by its own "
                "coin, and shuffled ones reveal more than it says; use 'poisson'"
            )
        if self.mechanism == "dp-secagg" and self.sampling_rate < 1:
            raise ValueError(
                f"sampling_rate {self.sampling_rate:g} under dp-secagg makes several local steps of an epoch, each of "
                "which would feed on less noise than is accounted: only one step may be summed; use 1 (the full batch)"
            )
        return self


class Learning(Choice, TrainingSettings, ActivationSettings, InputSettings, NoiseSettings, RobustSettings, frozen=True):
    """What is trained, on what, how."""

    learner: Annotated[
        Literal["real", "surrogate"],
        Knob("train for real, or follow curves fitted to real runs, which refuse what they say nothing about"),
    ] = "real"
    dataset: Annotated[str, Chosen(families.DATASETS), Knob("data set", paper="§6.1")] = "digits"
    data_dir: Annotated[str | None, Knob("folder of data files; none: FLNFT_DATA, else the platform's cache")] = None
    split: Annotated[Literal["paper", "full"], Knob("`paper`: 50,000 training samples; `full`: all", paper="§6.1")] = (
        "paper"
    )
    validation_share: Annotated[
        float,
        Knob("share of the test set on which contributions are measured; accuracy is reported on the rest", ge=0, lt=1),
    ] = 0.0
    samples_per_user: Annotated[
        int | None,
        Knob(
            "surrogate learner: samples each user holds; none: the data set dealt evenly",
            unit="samples",
            ge=1,
            le=1_000_000_000,
        ),
    ] = None
    partition: Partition = section(Partition, "who holds which data")
    model: Annotated[str, Chosen(families.MODELS), Knob("model", paper="§6.1")] = "mlp"
    dropout: Annotated[
        float, Knob("dropout of the last convolution's channels and of every hidden unit", ge=0, lt=1)
    ] = 0.0
    scheme: Annotated[str, Named(families.SCHEMES), Knob("who trains, and how", paper="§6.2")] = "pms-am"
    round_share: Annotated[
        float, Knob("share of users (largest loss or gradient norm) that a ranking scheme takes", gt=0, le=1)
    ] = 1.0
    aggregator: Annotated[str, Chosen(families.AGGREGATORS), Knob("aggregation", paper="§6.1")] = "fedavg"
    rounds: Annotated[int, Knob("FL rounds before minting", unit="rounds", paper="§6.2", ge=1, le=100_000)] = 100
    privacy: Privacy = section(Privacy, "what hides records")

    @model_validator(mode="before")
    @classmethod
    def _own_data_pinned(cls, fields: Any) -> Any:
        """`file:PATH` is the data set `file` at that path, whose content is what it is now."""
        named = fields.get("dataset") if isinstance(fields, dict) else None
        return fields | pinned_data(named) if isinstance(named, str) and named.startswith(OWN_DATA) else fields

    @model_validator(mode="after")
    def _parts_know(self) -> "Learning":
        """What a model or a data set of one's own does not know is refused, and not quietly left out."""
        for field, family in (("activation", families.MODELS), ("inputs", families.DATASETS)):
            default, value = type(self).model_fields[field].default, getattr(self, field)
            part = self.model if field == "activation" else self.dataset
            if value != default and field not in knobs(family.settings_class(part) or type(None)):
                raise ValueError(f"{field} {value!r}: {family.family} {part!r} knows only {default!r}; use that")
        return self

    @model_validator(mode="after")
    def _one_mechanism(self) -> "Learning":
        mechanism = self.privacy.mechanism
        if mechanism != "paper" and (self.perturb == "step" or self.clip_l1 is not None):
            raise ValueError(
                f"perturb 'step' and clip_l1 belong to privacy.mechanism 'paper', which here is {mechanism!r}; leave "
                "them out"
            )
        if self.privacy.trains_privately and families.SCHEMES.get(self.scheme).ranks_by is not None:
            raise ValueError(
                f"scheme {self.scheme!r} ranks users by what their records say, which no noise hides; under "
                f"privacy.mechanism {mechanism!r} choose another"
            )
        if mechanism == "dp-secagg" and self.aggregator != "fedavg":
            raise ValueError(
                f"aggregator {self.aggregator!r} looks at single updates, and under dp-secagg only their sum is seen; "
                "use 'fedavg'"
            )
        return self

    @model_validator(mode="after")
    def _surrogate_knows(self) -> "Learning":
        if self.learner == "surrogate":
            refuse_unknown(self)
        return self


class Radio(Section, RadioSettings, DownlinkSettings, WalkSettings, frozen=True):
    """The links of users and providers to the edge base station."""

    area_m: Annotated[Range, Knob("width and height of the area", unit="m", paper="§6.1", ge=1.0, le=100000.0)] = AREA_M
    placement: Annotated[
        Literal["trace", "random"],
        Knob("`trace`: ten fixed points (ours, the paper prints no coordinates); `random`: uniform", paper="Fig. 4"),
    ] = "random"
    movement: Annotated[Literal["none", "random-waypoint"], Knob("whether users walk about")] = "none"


class PrivateLedger(Choice, ReplicaSettings, frozen=True):
    """The DAO's own ledger, on which updates become final."""

    protocol: Annotated[str, Chosen(families.PROTOCOLS), Knob("consensus among the DAO's users")] = "pbft"
    topology: Annotated[str, Named(families.TOPOLOGIES), Knob("links between replicas")] = "complete"
    crashed: Annotated[int, Knob("replicas that crash before the first round", unit="count", ge=0, le=1000)] = 0
    slow: Annotated[int, Knob("replicas whose messages take ten times as long", unit="count", ge=0, le=1000)] = 0
    primary_crash_s: Annotated[
        float | None, Knob("the primary crashes at this time and stays down", unit="s", ge=0, le=LONGEST_S)
    ] = None
    request_hop: Annotated[
        bool, Knob("`pbft`: an update first travels from its user to the primary; without it, it is there at once")
    ] = True
    batch_every_s: Annotated[
        float,
        Knob("a crowd's updates become final by batches that begin at least this far apart", unit="s", ge=0, le=1e6),
    ] = 1.0
    replicas_max: Annotated[
        int, Knob("at most this many users keep replicas in a large DAO", unit="count", ge=1, le=1000)
    ] = 100


class PublicChain(Choice, MiningSettings, frozen=True):
    """The public chain, on which models are minted and licences sold."""

    protocol: Annotated[str, Chosen(families.PROTOCOLS), Knob("consensus of the public chain", paper="§6.1")] = "pow"
    gas_limit: Annotated[int, Knob("gas a block holds", unit="gas", ge=21_000, le=EXACT)] = 8_000_000
    load_tx_per_s: Annotated[
        float, Knob("other people's transactions that compete for gas", unit="1/s", ge=0, le=1e6)
    ] = 0.0
    stall_at_s: Annotated[
        float | None, Knob("the chain stops making blocks at this time", unit="s", ge=0, le=LONGEST_S)
    ] = None
    stall_for_s: Annotated[float, Knob("how long it stops", unit="s", ge=0, le=LONGEST_S)] = 0.0
    backend: Annotated[
        Literal["model", "evm", "rpc"],
        Knob("contracts: a model of them with gas by formula, or executed, on an EVM in this process or on a node"),
    ] = "model"
    node: Annotated[str, Knob("`rpc`: the address of the node, a new one whose clock can be set")] = (
        "http://127.0.0.1:8545"
    )
    chain_id: Annotated[int, Knob("`evm`, `rpc`: the chain that signatures are for", ge=1, le=EXACT)] = 1337
    fork: Annotated[
        Literal["shanghai", "cancun", "prague"],
        Knob("`evm`, `rpc`: Ethereum's rules of which fork; the contracts need shanghai's instructions"),
    ] = "prague"
    opening_s: Annotated[
        float,
        Knob(
            "`evm`, `rpc`: how long sealed bids are opened on the chain after a window",
            unit="s",
            ge=1,
            le=LONGEST_S,
            steps=1,
        ),
    ] = 120.0
    voting_s: Annotated[
        float,
        Knob("`evm`, `rpc`: how long members vote on their asks on the chain", unit="s", ge=1, le=LONGEST_S, steps=1),
    ] = 120.0
    gas_price_gwei: Annotated[
        float,
        Knob(
            "what a unit of gas costs its sender, 10⁻⁹ money each; it goes to whoever makes the block",
            unit="gwei",
            ge=0,
            le=1e6,
        ),
    ] = 0.0
    purse_money: Annotated[
        float,
        Knob(
            "what everybody has for gas beside its other money, where gas costs any",
            unit="money",
            ge=0,
            le=MOST_MONEY,
        ),
    ] = 10.0

    @model_validator(mode="after")
    def _keeps_up(self) -> "PublicChain":
        """A chain that makes no progress would never let anything become final."""
        if self.propagation_s > MOST_DELAY * self.block_interval_s and self._blocks_travel:
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
        travelling_s = self.propagation_s * (1 - 1 / self.miners) if self._blocks_travel else 0.0
        return self.gas_limit // TRAFFIC_GAS / (self.block_interval_s + travelling_s)

    @property
    def _blocks_travel(self) -> bool:
        """Whether miners may find a block before they hear of the last one, so that some are stale."""
        return "propagation_s" in self.told("protocol")

    @property
    def load(self) -> float:
        """The share of the capacity that other people take."""
        return self.load_tx_per_s / self.capacity_tx_per_s if self.load_tx_per_s else 0.0


class Voting(Section, frozen=True):
    """How members judge one another's asks."""

    rule: Annotated[str, Named(families.VOTING), Knob("voting rule", paper="Eq. 34")] = "majority"
    tolerance: Annotated[float, Knob("an ask may exceed a voter's own estimate by this share", ge=0, le=1e6)] = 0.05
    estimate_noise: Annotated[float, Knob("relative error of a voter's estimate", ge=0, le=1)] = 0.01
    inflating_share: Annotated[float, Knob("share of users who ask for more than their due", ge=0, le=1)] = 0.0
    inflation: Annotated[float, Knob("by which factor they inflate", ge=1, le=1e6)] = 2.0


class Market(Choice, ValuesSettings, SaleSettings, frozen=True):
    """From asks to settled money."""

    mechanism: Annotated[
        str, Named(families.MECHANISMS), Knob("who does what in an episode, in which order", paper="Fig. 1")
    ] = "paper"
    rule: Annotated[str, Chosen(families.RULES), Knob("clearing rule", paper="§5.2")] = "pms-am"
    auctions: Annotated[
        int, Knob("measured minting episodes, each with its auction", unit="auctions", ge=1, le=100_000)
    ] = 1
    ask_fraction: Annotated[
        float, Knob("the ask of one licence = this × total ask / matched positive bidders", gt=0, le=1e6)
    ] = 1.0
    reserve_money: Annotated[
        float | None,
        Knob(
            "reserve price of a licence; none: learned from past lowest asks on the ledger",
            unit="money",
            ge=0,
            le=MOST_MONEY,
        ),
    ] = None
    reserve_prior_money: Annotated[
        float, Knob("the reserve while the ledger has no past asks to learn from", unit="money", ge=0, le=MOST_MONEY)
    ] = 150.0
    bidding_s: Annotated[
        float,
        Knob(
            "how long sealed bids are taken; windows end on whole seconds, as block times are",
            unit="s",
            ge=1,
            le=LONGEST_S,
            steps=1,
        ),
    ] = 120.0
    clock_s: Annotated[float, Knob("the auction clock, rebids included", unit="s", ge=1e-3, le=LONGEST_S)] = 1800.0
    rebid_step: Annotated[
        float, Knob("asks and bids move toward each other by this share when nobody wins", gt=0, lt=1)
    ] = 0.05
    rebids_max: Annotated[int, Knob("most rebids in an auction", unit="count", ge=0, le=10_000)] = 10
    auctioneer_money: Annotated[
        float,
        Knob(
            "what the contract holds to cover rules that run a deficit (vcg, pms-am-literal)",
            unit="money",
            ge=0,
            le=MOST_MONEY,
        ),
    ] = 10_000.0
    royalty: Annotated[
        float, Knob("the DAO's share of a licence's resale price, in basis points", ge=0, le=1, steps=10_000)
    ] = 0.05
    licence_s: Annotated[
        float | None,
        Knob(
            "how long a licence is good for from the end of its window on, resold or not; none: for ever",
            unit="s",
            ge=1,
            le=LONGEST_S,
            steps=1,
        ),
    ] = 31_536_000.0
    resale_share: Annotated[
        float, Knob("chance that a winner resells its licence to a loser after settlement", ge=0, le=1)
    ] = 0.0
    voting: Voting = section(Voting, "how members judge asks")

    @model_validator(mode="before")
    @classmethod
    def _rule_of_the_mechanism(cls, fields: Any) -> Any:
        """Where only the mechanism is named, the rule is one that clears what its DAOs ask for."""
        named = fields.get("mechanism") if isinstance(fields, dict) else None
        if not isinstance(named, str) or "rule" in fields or named not in families.MECHANISMS:
            return fields
        return fields | {"rule": "cost-sharing"} if asks_of(families.MECHANISMS, named) == "total" else fields

    @model_validator(mode="after")
    def _clears_what_is_asked(self) -> "Market":
        refuse_other_asks(self.mechanism, self.rule)
        return self


class Failures(Section, AdversarySettings, SoundFailures, frozen=True):
    """What goes wrong, on purpose."""

    dropout_rate: Annotated[float, Knob("chance that a user drops out in a round", ge=0, le=1)] = 0.0
    return_s: Annotated[float, Knob("how long a dropped user stays away", unit="s", ge=0, le=LONGEST_S)] = 5.0
    link_failure_rate: Annotated[float, Knob("chance that an upload's link fails once", ge=0, le=1)] = 0.0
    link_repair_s: Annotated[float, Knob("how long a failed link is down", unit="s", ge=0, le=LONGEST_S)] = 2.0
    forged_bids: Annotated[
        int, Knob("bids an outsider forges in a provider's name, an auction", unit="count", ge=0, le=1000)
    ] = 0
    replayed_bids: Annotated[
        int, Knob("old ciphertexts that are sent again, an auction", unit="count", ge=0, le=1000)
    ] = 0
    garbled_bids: Annotated[int, Knob("ciphertexts damaged on their way, an auction", unit="count", ge=0, le=1000)] = 0
    overspenders: Annotated[int, Knob("providers that bid above their budget", unit="count", ge=0, le=100_000)] = 0
    withdrawing_daos: Annotated[int, Knob("DAOs that withdraw before bidding opens", unit="count", ge=0, le=10_000)] = 0


class Timeline(Section, frozen=True):
    """The clock."""

    round_deadline_s: Annotated[
        float | None,
        Knob(
            "updates later than this after a round's start are dropped; none: wait for all",
            unit="s",
            gt=0,
            le=LONGEST_S,
        ),
    ] = None
    longest_s: Annotated[
        float,
        Knob(
            "the run ends here if its story is not over: what takes longer is refused beforehand, or says who waits",
            unit="s",
            gt=0,
            le=LONGEST_S,
        ),
    ] = 1e8
    tick_s: Annotated[float, Knob("simulated time of one Mesa step", unit="s", ge=1e-3, le=LONGEST_S)] = 1.0


class Scenario(Section, frozen=True):
    """One market, whole."""

    name: Annotated[Name, Knob("what runs and folders are called")] = "scenario"
    description: Annotated[str, Knob("one sentence for `flnft scenarios`")] = ""
    seed: Annotated[int, Knob("the one number all random streams come from", ge=0, le=EXACT)] = 0
    imports: Annotated[
        tuple[Import, ...],
        Knob("files of parts of your own; a scenario's file names them by `import: my_parts.py`", items=(0, 100)),
    ] = ()
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

    def __reduce__(self) -> tuple[Any, ...]:
        """Take along what it imports: another process has not read it."""
        return _unpacked, (self.model_dump(), [source_of(each.sha256) for each in self.imports])

    def __iter__(self) -> NoReturn:
        """A scenario is one value: Mesa's batch runs would take what can be iterated for a list of values."""
        raise TypeError("a Scenario is one value; its fields are in model_dump()")

    @property
    def fl_rounds(self) -> int:
        """FL rounds of the whole run: of every DAO in every episode; of a category's winner where promises are sold."""
        ahead = self.market.mechanism == "sound" and self.market.order == "presale"
        daos = self.population.categories if ahead else self.population.daos
        return self.learning.rounds * daos * self.market.auctions

    @property
    def sellers_at_most(self) -> int:
        """DAOs of one category."""
        return -(-self.population.daos // self.population.categories)

    @property
    def buyers_at_most(self) -> int:
        """Providers that want one category."""
        return -(-self.population.providers // self.population.categories)

    @model_validator(mode="after")
    def _fits_together(self) -> "Scenario":
        replicas = min(self.population.users // self.population.daos, self.private_ledger.replicas_max)
        ledger = self.private_ledger
        faults = ledger.crashed + (ledger.primary_crash_s is not None)
        if faults and replicas < 4 and families.PROTOCOLS.get(ledger.protocol).can_crash:
            raise ValueError(
                f"private_ledger.crashed: PBFT survives faults from 4 replicas on, a DAO here has {replicas}; "
                "add users (or replicas_max), or set crashed to 0 and primary_crash_s to none"
            )
        if faults > replicas or ledger.slow > replicas:
            raise ValueError(f"private_ledger.crashed and slow must not exceed a DAO's {replicas} replicas")
        if self.learning.privacy.trains_privately:
            self._hides_something()
            self._answers_bound()
        if self.learning.privacy.mechanism == "dp-secagg":
            self._sums_of_one_step()
        if self.population.moves_as_crowd(dao=0):  # none has more members than the first
            self._fits_a_crowd()
        if self.radio.placement == "trace" and self.population.users > 10:
            raise ValueError(
                f"radio.placement 'trace' has ten points, population.users is {self.population.users}; use 'random'"
            )
        self._money_is_exact()
        refuse_impossible_promises(self)
        refuse_unmeasurable(self)
        refuse_outnumbered(self)
        refuse_adversaries(self)
        if self.public_chain.backend != "model":
            self._fits_contracts()
        if self.public_chain.gas_price_gwei and self.market.mechanism != "paper":
            raise ValueError(
                f"public_chain.gas_price_gwei: gas costs money in the mechanism 'paper' alone, and market.mechanism is "
                f"{self.market.mechanism!r}; use 0"
            )
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

    @property
    def most_epochs(self) -> int:
        """The most local epochs that one round asks of a user."""
        plays = families.SCHEMES.get(self.learning.scheme).plays_game
        return self.game.epochs_max if plays else self.game.default_epochs

    def _hides_something(self) -> None:
        """Beyond an ε that hides nothing, the accountant's tables would outgrow the memory as well."""
        most = self.game.privacy_range[1]
        if most > MOST_EPSILON:
            raise ValueError(
                f"game.privacy_range up to {most:g} under learning.privacy.mechanism "
                f"{self.learning.privacy.mechanism!r}: an ε above {MOST_EPSILON:g} hides no record; ask for at most "
                "that, or use 'none'"
            )

    def _answers_bound(self) -> None:
        """An ε that is chosen once binds the answers of later rounds, which the closed form alone can be bound in."""
        incentives = self.game.utility, self.game.cost, self.game.reward
        if incentives != PAPERS_INCENTIVES:
            raise ValueError(
                f"learning.privacy.mechanism {self.learning.privacy.mechanism!r} binds a user to its ε for a whole "
                f"minting, which the paper's incentives ({', '.join(PAPERS_INCENTIVES)}) know how to answer, and "
                f"{', '.join(incentives)} do not; use 'paper' or 'none' with them"
            )

    def _sums_of_one_step(self) -> None:
        """What is summed securely must be one step: what follows from it has no noise of its own."""
        field = "epochs_max" if families.SCHEMES.get(self.learning.scheme).plays_game else "default_epochs"
        if self.most_epochs > 1:
            raise ValueError(
                f"game.{field} {self.most_epochs} under learning.privacy.mechanism 'dp-secagg' makes several local "
                "steps a round, each of which would feed on less noise than is accounted; use 1, and more rounds"
            )
        members = self.population.users // self.population.daos
        if self.learning.privacy.colluders >= members:
            raise ValueError(
                f"learning.privacy.colluders {self.learning.privacy.colluders} leaves nobody honest among a DAO's "
                f"{members} members; use fewer"
            )

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
            "public_chain.purse_money × all who act": self.public_chain.purse_money
            * (self.population.users + self.population.daos + providers + 2),
            "market.reserve_prior_money": market.reserve_prior_money,
        }
        for what, money in amounts.items():
            if not money <= MOST_MONEY:
                raise ValueError(
                    f"{what} is {money:.6g} of money, and the ledger counts at most {MOST_MONEY:,} exactly; choose less"
                )

    def _fits_contracts(self) -> None:
        """What the market's contracts cannot do is refused, and not left to a model of them."""
        backend, population = f"public_chain.backend {self.public_chain.backend!r}", self.population
        if self.market.rule != "pms-am":
            raise ValueError(
                f"market.rule {self.market.rule!r}: the contracts of {backend} clear by 'pms-am'; use that"
            )
        if self.market.mechanism != "paper":
            raise ValueError(
                f"market.mechanism {self.market.mechanism!r}: the contracts of {backend} serve 'paper'; use that"
            )
        if population.moves_as_crowd(dao=0):
            raise ValueError(
                f"{backend}: members of a crowd have no keys to sign with; raise population.crowd_from above a DAO's "
                "members, or use 'model'"
            )
        for what, count, most in (
            ("providers", self.buyers_at_most, MAX_BIDS),
            ("daos", self.sellers_at_most, MAX_ASKS),
        ):
            if count > most:
                raise ValueError(
                    f"population.{what}: {count} of them meet in one auction, and the contract of {backend} holds "
                    f"{most}; have fewer or more population.categories, or use 'model'"
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
        if self.learning.privacy.mechanism == "dp-secagg":
            raise ValueError(f"learning.privacy.mechanism 'dp-secagg': {crowd} exchange no keys; use 'dp-sgd'")
        if self.learning.learner == "real" and not families.SCHEMES.get(self.learning.scheme).centralized:
            raise ValueError(f"learning.learner: {crowd} need 'surrogate'")


def _unpacked(fields: dict[str, Any], sources: list[Source]) -> Scenario:
    for source in sources:
        offer(source)
    return Scenario.model_validate(fields)
