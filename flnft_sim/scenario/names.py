"""Names of parts in a scenario, checked against the registry of their family when the scenario is read."""

from dataclasses import dataclass
from typing import Any

from flnft_sim.registry import Registry


@dataclass(frozen=True)
class Named:
    """A text that is the name of a part of the family; no part is imported for the check."""

    family: Registry[Any]

    def checked(self, name: str) -> str:
        """Return the name; raises `ValueError` that suggests the closest for one that is not known."""
        if name not in self.family:
            raise ValueError(str(self.family.unknown(name)))
        return name

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core.core_schema import no_info_after_validator_function

        return no_info_after_validator_function(self.checked, handler(source))


@dataclass(frozen=True)
class Chosen(Named):
    """The name of a part beside which stands what it is told (see `flnft_sim.scenario.sections.Choice`)."""
