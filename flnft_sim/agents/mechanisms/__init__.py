"""Mechanisms: the story of an episode, one file each, imported when they are first asked for."""

from flnft_sim.agents.mechanisms.base import MECHANISMS, Mechanism, MechanismFacts, Parties

__all__ = ["MECHANISMS", "Mechanism", "MechanismFacts", "Parties"]
