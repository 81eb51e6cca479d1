"""The paper's contribution: data over the loss that a user reports of itself."""

from flnft_sim.game.contribution.base import CONTRIBUTIONS, Arrivals, Measured, MeasureFacts
from flnft_sim.game.contributions import quality_contribution


@CONTRIBUTIONS.register("paper", facts=MeasureFacts(sees_updates=False, validates=False, age_counts_alone=True))
def paper(arrived: Arrivals) -> Measured:
    """θ^Q = μ0·|D| / (μ1 + H) (Eq. 10)."""
    return Measured.exactly(quality_contribution(arrived.shard_sizes, arrived.losses, mu0=arrived.mu0, mu1=arrived.mu1))
