"""The registry of every family of parts, and the module in which each part that ships is found.

Nothing here imports a part, so that a scenario's names are checked without the libraries behind them. Each family's
package gives its registry the type of its parts; a new part that ships is a file of its own and a name here.
"""

from typing import Any

from flnft_sim.registry import Registry


def _family(family: str, group: str, package: str, files: dict[str, str]) -> Registry[Any]:
    """A registry of known names: `files` has the names, apart by spaces, that each file of `package` registers."""
    homes = {name: f"{package}.{file}" for file, names in files.items() for name in names.split()}
    return Registry(family, group=f"flnft_sim.{group}", homes=homes)


RULES = _family(
    "clearing rule",
    "rules",
    "flnft_sim.market.rules",
    {
        "cost_sharing": "cost-sharing",
        "first_price": "first-price",
        "mcafee": "mcafee",
        "myerson": "myerson",
        "pms_am": "pms-am",
        "pms_am_literal": "pms-am-literal",
        "random": "random",
        "rsop": "rsop",
        "rspe": "rspe",
        "uniform": "uniform",
        "vcg": "vcg",
    },
)
MECHANISMS = _family("mechanism", "mechanisms", "flnft_sim.agents.mechanisms", {"paper": "paper", "sound": "sound"})
VOTING = _family("voting rule", "voting", "flnft_sim.market", {"voting": "majority two-thirds"})
PROTOCOLS = _family(
    "consensus protocol",
    "protocols",
    "flnft_sim.ledger.consensus",
    {"instant": "instant", "pbft": "pbft", "pos": "pos", "pow": "pow"},
)
BELIEFS = _family(
    "belief",
    "beliefs",
    "flnft_sim.game.beliefs",
    {
        "hidden_markov": "blend hmm hmm-mode",
        "level_chain": "markov",
        "simple": "ar1 ewma last mean oracle",
    },
)
UTILITIES = _family("utility", "utilities", "flnft_sim.game.incentives", {"fair": "fair"})
COSTS = _family("cost", "costs", "flnft_sim.game.incentives", {"linear": "linear"})
REWARDS = _family("reward", "rewards", "flnft_sim.game.incentives", {"proportional": "proportional"})
CONTRIBUTIONS = _family(
    "contribution measure",
    "contributions",
    "flnft_sim.game.contribution",
    {
        "cosine": "cosine",
        "leave_one_out": "leave-one-out",
        "loss_drop": "loss-drop",
        "paper": "paper",
        "shapley": "shapley",
        "shapley_exact": "shapley-exact",
        "volume": "volume",
    },
)
MODELS = _family("model", "models", "flnft_sim.learning.models", {"cnn": "cnn", "mlp": "mlp"})
SCHEMES = _family(
    "scheme",
    "schemes",
    "flnft_sim.learning.schemes",
    {
        "centralized": "centralized",
        "gradient_norm": "gradient-norm",
        "loss": "loss",
        "pms_am": "pms-am",
        "random": "random",
    },
)
AGGREGATORS = _family(
    "aggregator",
    "aggregators",
    "flnft_sim.learning.aggregation",
    {
        "fedadp": "fedadp",
        "fedavg": "fedavg",
        "fedsgd": "fedsgd",
        "fedsim": "fedsim",
        "krum": "krum multi-krum",
        "median": "median",
        "trimmed_mean": "trimmed-mean",
    },
)
DATASETS = _family(
    "dataset",
    "datasets",
    "flnft_sim.learning.data",
    {"cifar10": "cifar10", "digits": "digits", "mnist": "mnist", "own": "file", "synthetic": "synthetic"},
)
PARTITIONS = _family(
    "partition",
    "partitions",
    "flnft_sim.learning.partitions",
    {"dirichlet": "dirichlet", "iid": "iid", "shards": "shards", "sizes": "sizes"},
)
TOPOLOGIES = _family(
    "topology", "topologies", "flnft_sim.network", {"graphs": "complete geometric ring small-world star"}
)
DESIGNS = _family(
    "sampling method", "designs", "flnft_sim.sweeps", {"designs": "latin-hypercube morris sobol sobol-sequence"}
)
FIGURES = _family(
    "figure",
    "figures",
    "flnft_sim.figures.run",
    {
        "accuracy": "accuracy",
        "age": "age",
        "beliefs": "beliefs",
        "contributions": "contributions",
        "gantt": "gantt",
        "gas": "gas",
        "map": "map",
        "phases": "phases",
        "utilities": "utilities",
        "winners": "winners",
    },
)
ENGINES = _family("chain engine", "engines", "flnft_sim.chain", {"engine_eels": "eels", "engine_pyevm": "pyevm"})
FAMILIES: tuple[Registry[Any], ...] = (
    RULES,
    MECHANISMS,
    VOTING,
    PROTOCOLS,
    BELIEFS,
    UTILITIES,
    COSTS,
    REWARDS,
    CONTRIBUTIONS,
    MODELS,
    SCHEMES,
    AGGREGATORS,
    DATASETS,
    PARTITIONS,
    TOPOLOGIES,
    DESIGNS,
    FIGURES,
    ENGINES,
)
