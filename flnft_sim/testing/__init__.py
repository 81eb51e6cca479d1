"""The contracts that parts keep, as tests to inherit: one class a family, for the parts that ship and for one's own."""

from importlib import import_module

#: By a family's entry-point group: its contract, and the attribute of it that takes a part's name.
CONTRACTS = {
    "flnft_sim.rules": ("rules.ClearingRuleContract", "rule"),
    "flnft_sim.mechanisms": ("mechanisms.MechanismContract", "mechanism"),
    "flnft_sim.voting": ("voting.VotingContract", "voting"),
    "flnft_sim.protocols": ("consensus.ConsensusContract", "protocol"),
    "flnft_sim.beliefs": ("beliefs.BeliefContract", "kind"),
    "flnft_sim.utilities": ("incentives.UtilityContract", "utility"),
    "flnft_sim.costs": ("incentives.CostContract", "cost"),
    "flnft_sim.rewards": ("incentives.RewardContract", "reward"),
    "flnft_sim.contributions": ("contributions.ContributionContract", "measure"),
    "flnft_sim.models": ("models.ModelContract", "model"),
    "flnft_sim.schemes": ("schemes.SchemeContract", "scheme"),
    "flnft_sim.aggregators": ("aggregators.AggregatorContract", "aggregator"),
    "flnft_sim.datasets": ("data.DatasetContract", "dataset"),
    "flnft_sim.partitions": ("partitions.PartitionContract", "partition"),
    "flnft_sim.topologies": ("topologies.TopologyContract", "topology"),
    "flnft_sim.designs": ("designs.DesignContract", "design"),
    "flnft_sim.figures": ("figures.FigureContract", "figure"),
    "flnft_sim.engines": ("engines.EngineContract", "engine"),
}


def contract_of(group: str, name: str, **settings: object) -> type:
    """Make the test class of one part: the contract of the family with that entry-point group, with the part's name.

    `settings` are further attributes of the contract, such as a model's `input_shape`. Raises `KeyError` for a family
    without a contract.
    """
    home, attribute = CONTRACTS[group]
    module, _, contract = home.partition(".")
    base = getattr(import_module(f"{__name__}.{module}"), contract)
    return type(f"Test_{name}", (base,), {attribute: name, **settings})
