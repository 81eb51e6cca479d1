"""Whole units of the simulator's money as wei, and back: 1 unit (10⁻⁶ money) is 10¹² wei, so 1 money is 1 ether."""

from flnft_sim.checks import whole
from flnft_sim.errors import InputError

WEI_PER_UNIT = 10**12
GWEI = 10**9


def to_wei(units: int) -> int:
    """Return whole units of money in wei; refuse what is no whole number of 0 or more."""
    return whole("an amount of money in units", units) * WEI_PER_UNIT


def from_wei(wei: int) -> int:
    """Return wei in whole units; refuse an amount that is not a whole number of them."""
    units, rest = divmod(whole("an amount in wei", wei), WEI_PER_UNIT)
    if rest:
        raise InputError(f"{wei} wei are {units} units and {rest} wei over; give a multiple of {WEI_PER_UNIT} wei")
    return units
