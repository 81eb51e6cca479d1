"""What can be wrong with a game, beyond numbers that are out of range (`flnft_sim.checks`)."""

from flnft_sim.checks import OutOfRangeError
from flnft_sim.errors import InputError


class FairnessError(OutOfRangeError):
    """σ outside (0, 1): h(x) = x^(1−σ)/(1−σ) is then not increasing and concave from 0 on."""


class ElasticityError(OutOfRangeError):
    """Demand elasticities outside (0, 1), or not adding up to 1 (Eq. 9)."""


class ValuationError(OutOfRangeError):
    """A negative valuation: nobody pays to lose."""


class EmptyMarketError(InputError):
    """A decision without users or without providers."""
