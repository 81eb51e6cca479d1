"""How large the reproduction is: everything on digits in a minute, or the real thing in hours."""

from dataclasses import dataclass

Workload = tuple[str, str]  # data set, model


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Sizes of all parts. `seeds` are runs per point; schemes are compared seed by seed (common random numbers)."""

    name: str
    workloads: tuple[Workload, ...]  # of Fig. 5 and Fig. 6
    rounds: int
    seeds: int
    history_auctions: int
    table3_workloads: tuple[Workload, ...]
    table3_schemes: tuple[str, ...]
    table3_seeds: int
    small_seeds: int  # of the studies on digits
    trajectories: int  # of Morris' design
    market_seeds: int
    market_auctions: int
    market_daos: tuple[int, ...]
    audited_markets: int
    belief_auctions: int
    belief_kinds: tuple[str, ...]
    mechanism_workloads: tuple[Workload, ...]
    mechanism_rounds: int
    mechanism_images: int  # of a user
    dropout_rates: tuple[float, ...]
    contribution_workload: Workload
    contribution_ways: tuple[tuple[str, str], ...]  # measure that pays, aggregator
    contribution_rounds: int
    contribution_images: int  # of a user
    contribution_seeds: int


PAPERS_WORKLOADS: tuple[Workload, ...] = (("mnist", "mlp"), ("cifar10", "mlp"), ("mnist", "cnn"), ("cifar10", "cnn"))

FULL = Scale(
    name="full",
    workloads=PAPERS_WORKLOADS,
    rounds=100,
    seeds=5,
    history_auctions=60,
    table3_workloads=PAPERS_WORKLOADS,
    table3_schemes=("random", "loss", "gradient-norm", "pms-am"),
    table3_seeds=5,
    small_seeds=5,
    trajectories=12,
    market_seeds=5,
    market_auctions=2,
    market_daos=(2, 4, 8),
    audited_markets=2000,
    belief_auctions=20,
    belief_kinds=("oracle", "last", "mean", "ewma", "ar1", "markov", "hmm", "hmm-mode", "blend"),
    mechanism_workloads=(("mnist", "mlp"), ("mnist", "cnn")),
    mechanism_rounds=10,
    mechanism_images=1000,
    dropout_rates=(0.0, 0.3, 0.6, 0.8),
    contribution_workload=("mnist", "mlp"),
    contribution_ways=(("paper", "fedavg"), ("paper", "median"), ("loss-drop", "fedavg"), ("shapley", "fedavg")),
    contribution_rounds=5,
    contribution_images=200,
    contribution_seeds=5,
)

QUICK = Scale(
    name="quick",
    workloads=(("digits", "mlp"), ("digits", "cnn")),
    rounds=6,
    seeds=2,
    history_auctions=10,
    table3_workloads=(("mnist", "mlp"),),
    table3_schemes=("random", "loss", "pms-am"),
    table3_seeds=1,
    small_seeds=1,
    trajectories=2,
    market_seeds=1,
    market_auctions=1,
    market_daos=(2,),
    audited_markets=100,
    belief_auctions=4,
    belief_kinds=("oracle", "last", "hmm"),
    mechanism_workloads=(("digits", "mlp"),),
    mechanism_rounds=6,
    mechanism_images=140,
    dropout_rates=(0.0, 0.6),
    contribution_workload=("digits", "mlp"),
    contribution_ways=(("loss-drop", "median"),),
    contribution_rounds=3,
    contribution_images=140,
    contribution_seeds=1,
)


def workload_name(dataset: str, model: str) -> str:
    """As the paper writes it, such as MLP-MNIST."""
    return f"{model.upper()}-{dataset.upper() if dataset != 'digits' else 'digits'}"
