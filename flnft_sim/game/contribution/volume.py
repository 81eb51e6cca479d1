"""Contribution by data alone."""

from flnft_sim.game.contribution.base import CONTRIBUTIONS, Arrivals, Measured, MeasureFacts


@CONTRIBUTIONS.register("volume", facts=MeasureFacts(sees_updates=False, validates=False))
def volume(arrived: Arrivals) -> Measured:
    """|D|, the samples that a user says it has trained on."""
    return Measured.exactly(arrived.shard_sizes)
