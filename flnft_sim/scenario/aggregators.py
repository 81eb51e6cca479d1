"""Which aggregators a scenario has too few users for, refused when it is read."""

from typing import Any

from flnft_sim import families

# Of parts that ship it is written here, too: to ask them would import them, and a scenario is read without its parts.
_COUNT_USERS = frozenset({"krum", "multi-krum"})


def refuse_outnumbered(scenario: Any) -> None:
    """Raise `ValueError` where so many may be adversaries that the aggregator cannot tell them from the others."""
    learning = scenario.learning
    if families.AGGREGATORS.ships(learning.aggregator) and learning.aggregator not in _COUNT_USERS:
        return
    facts = families.AGGREGATORS.facts(learning.aggregator)
    if facts is None or facts.users_for is None:
        return
    members = scenario.population.users // scenario.population.daos
    byzantine = int(learning.byzantine_share * members)
    if members < (needed := facts.users_for(byzantine)):
        raise ValueError(
            f"learning.aggregator {learning.aggregator!r}: where {byzantine} of a DAO's members may be adversaries "
            f"(learning.byzantine_share {learning.byzantine_share:g}) it needs at least {needed}, and a DAO here has "
            f"{members}; add users, lower the share, or use 'median'"
        )
