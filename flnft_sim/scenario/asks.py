"""Whether a clearing rule fits the mechanism: both take asks for each licence, or both for the whole model."""

from typing import Any

from flnft_sim import families
from flnft_sim.registry import Registry

# Of parts that ship it is written here, too: to ask them would import them, and a scenario is read without its parts.
IN_TOTAL = frozenset({"cost-sharing", "myerson", "rsop", "rspe", "sound"})

_SAID = {"per-licence": "for each licence", "total": "for the whole model"}
_SUCH_AS = {"per-licence": "pms-am", "total": "cost-sharing"}


def asks_of(family: Registry[Any], name: str) -> str:
    """What a rule clears, or a mechanism's DAOs ask: `total` or `per-licence`, which is what no word of it means."""
    if family.ships(name):
        return "total" if name in IN_TOTAL else "per-licence"
    return getattr(family.facts(name), "asks", "per-licence")


def fitting_rules(mechanism: str) -> list[str]:
    """The clearing rules that take what the mechanism's DAOs ask, sorted."""
    asked = asks_of(families.MECHANISMS, mechanism)
    return [rule for rule in families.RULES.names() if asks_of(families.RULES, rule) == asked]


def refuse_other_asks(mechanism: str, rule: str) -> None:
    """Raise `ValueError` where the rule clears other asks than the mechanism's DAOs make."""
    asked, cleared = asks_of(families.MECHANISMS, mechanism), asks_of(families.RULES, rule)
    if asked != cleared:
        raise ValueError(
            f"rule = {rule} clears asks {_SAID[cleared]}, and the DAOs of mechanism {mechanism} ask {_SAID[asked]}; "
            f"choose a rule for that, such as {_SUCH_AS[asked]}"
        )
