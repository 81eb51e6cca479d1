"""What the sections of a scenario are: strict, frozen, and open for the settings of the parts that they choose."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, ValidationError, create_model, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from flnft_sim.errors import did_you_mean
from flnft_sim.knobs import knobs
from flnft_sim.registry import Registry
from flnft_sim.scenario.names import Chosen
from flnft_sim.scenario.strict import Strict

UNKNOWN = "unknown_setting"  # a field that neither the section nor a part of it knows; the message says what is known


class Section(Strict, frozen=True):
    """Strict and frozen: what a scenario says is what runs."""

    model_config = ConfigDict(validate_default=True, allow_inf_nan=False)


class Choice(Section, frozen=True):
    """A section that chooses parts by name. Beside the names stands what the parts are told.

    A part may know settings that are no fields of the section: these are further fields, checked when the scenario is
    read by what the part says of them. A further field that none of the chosen parts knows is refused.
    """

    model_config = ConfigDict(extra="allow")

    def told(self, field: str) -> dict[str, Any]:
        """What the part that is chosen in `field` is told: each of its knobs that this section has a value for."""
        settings = _choices(type(self))[field].settings_class(getattr(self, field))
        known = {name: getattr(self, name) for name in type(self).model_fields} | self._further
        return {name: known[name] for name in knobs(settings) if name in known} if settings else {}

    @property
    def _further(self) -> dict[str, Any]:
        return self.model_extra if self.model_extra is not None else {}

    @model_validator(mode="after")
    def _checked_by_its_parts(self) -> Self:
        """Parts that ship need not be asked, nor imported, where all that is said are the section's own fields."""
        asked = {
            field: family
            for field, family in _choices(type(self)).items()
            if self._further or not family.ships(getattr(self, field))
        }
        beyond = [_beyond(family.settings_class(getattr(self, field)), type(self)) for field, family in asked.items()]
        _refuse_unknown(self._further, type(self), beyond)
        for part in beyond:
            own = {name: value for name, value in self._further.items() if name in part.model_fields}
            self._further.update(part.model_validate(own).model_dump(exclude_unset=True))
        for field, family in asked.items():
            family.settings(getattr(self, field), **self.told(field))
        return self


@cache
def _choices(section: type[Choice]) -> Mapping[str, Registry[Any]]:
    """The fields of a section that choose a part, with the part's family."""
    return {
        name: mark.family
        for name, field in section.model_fields.items()
        for mark in field.metadata
        if isinstance(mark, Chosen)
    }


def _beyond(settings: type | None, section: type[Section]) -> type[Section]:
    """The knobs of a part that are no fields of the section, as a section."""
    known = knobs(settings) if settings else {}
    further = {name: Annotated[kind, knob] for name, (kind, knob) in known.items() if name not in section.model_fields}
    defaults = dict(_defaults(settings)) if settings else {}
    definitions: dict[str, Any] = {name: (kind, defaults[name]) for name, kind in further.items()}
    return create_model("Beyond", __base__=Section, **definitions)


def _defaults(settings: Any) -> Iterator[tuple[str, Any]]:
    for field in fields(settings):
        if field.default is not MISSING:
            yield field.name, field.default
        elif field.default_factory is not MISSING:
            yield field.name, Field(default_factory=field.default_factory)
        else:
            yield field.name, ...


def _refuse_unknown(further: Mapping[str, Any], section: type[Section], beyond: list[type[Section]]) -> None:
    known = [name for kind in (section, *beyond) for name in kind.model_fields]
    faults: list[InitErrorDetails] = [
        {
            "type": PydanticCustomError(UNKNOWN, "{hint}", {"hint": unknown_hint(name, known)}),
            "loc": (name,),
            "input": value,
        }
        for name, value in further.items()
        if name not in known
    ]
    if faults:
        raise ValidationError.from_exception_data(section.__name__, faults)


def unknown_hint(name: str, known: list[str]) -> str:
    """What follows on the complaint about an unknown field: the closest name, or all of them."""
    return did_you_mean(name, known) or f"; known here: {', '.join(known)}"
