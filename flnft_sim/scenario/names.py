"""Checks a name in a scenario against the registry of its family, when the scenario is read."""

from typing import Any

from pydantic import AfterValidator

from flnft_sim.errors import UnknownNameError
from flnft_sim.registry import Registry


def registered(names: Registry[Any]) -> AfterValidator:
    """A validator for the names of a family; no part is imported for it."""

    def check(name: str) -> str:
        if name not in names:
            raise ValueError(str(UnknownNameError(names.family, name, names.names())))
        return name

    return AfterValidator(check)
