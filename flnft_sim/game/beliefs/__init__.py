"""Beliefs about rivals' bids: one interface, one file a family of kinds, all chosen by name."""

from flnft_sim.game.beliefs.base import BELIEFS, Belief, BeliefOptions, Part
from flnft_sim.game.beliefs.belief import BidBelief

__all__ = ["BELIEFS", "Belief", "BeliefOptions", "BidBelief", "Part"]
