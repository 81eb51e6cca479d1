"""Turn pydantic's validation errors into sentences: file, field, value, what is wrong, what is allowed."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from flnft_sim.errors import bare, shown
from flnft_sim.knobs import Knob
from flnft_sim.scenario.schema import Scenario
from flnft_sim.scenario.sections import UNKNOWN, unknown_hint

FAULTS = 30  # sentences for one scenario or sweep; nobody reads more at once


def explain(error: ValidationError, origins: Mapping[str, str], *, default_origin: str) -> list[str]:
    """One line a fault, in the order of the schema; of very many, the first."""
    return listed(error, lambda fault: _sentence(fault, origins, default_origin))


def listed(error: ValidationError, sentence: Callable[[Any], str]) -> list[str]:
    """A sentence for each of the first faults, and how many more there are."""
    faults = error.errors(include_url=False, include_context=False)
    lines = [sentence(fault) for fault in faults[:FAULTS]]
    return lines + ([f"… and {len(faults) - FAULTS:,} more such faults"] if len(faults) > FAULTS else [])


def _sentence(fault: Any, origins: Mapping[str, str], default_origin: str) -> str:
    place = [str(part) for part in fault["loc"] if not str(part).startswith("function-")]
    dotted = ".".join(place)
    origin = _origin(dotted, origins) or default_origin
    if fault["type"] == UNKNOWN:
        return f"{origin}: unknown field {shown(dotted)}{fault['msg']}"
    if fault["type"] == "extra_forbidden":
        section = _section(place[:-1])
        known = list(section.model_fields) if section else []
        return f"{origin}: unknown field {shown(dotted)}{unknown_hint(place[-1], known)}"
    message = complaint(fault)
    if isinstance(fault["input"], dict | BaseModel):  # a rule between fields, or a section that is no section
        return f"{origin}: {bare(dotted) + ': ' if dotted else ''}{message}"
    field = _field(place)
    allowed = f" (allowed: {text})" if field and (text := allowed_text(field)) else ""
    return f"{origin}: {bare(dotted)} = {shown(fault['input'])}: {message}{allowed}"


def complaint(fault: Any) -> str:
    """What is wrong with a value, in a file's words and not in Python's."""
    return _WORDS.get(fault["type"]) or fault["msg"].removeprefix("Value error, ").removeprefix("Input ")


_WORDS = {
    "model_type": "should be a section (name: value)",
    "dict_type": "should hold fields (name: value)",
    "tuple_type": "should be a list",
    "list_type": "should be a list",
    "string_type": "should be text; put it into quotation marks",
    "int_from_float": "should be a whole number",
}


def _origin(dotted: str, origins: Mapping[str, str]) -> str | None:
    """Where a field, or the first field inside it, was written."""
    while dotted:
        if dotted in origins:
            return origins[dotted]
        inside = [place for field, place in origins.items() if field.startswith(dotted + ".")]
        if inside:
            return inside[-1]
        dotted = dotted.rpartition(".")[0]
    return None


def _section(place: list[str]) -> type[BaseModel] | None:
    section: type[BaseModel] = Scenario
    for part in place:
        field = section.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return None
        section = field.annotation
    return section


def _field(place: list[str]) -> FieldInfo | None:
    for end in range(len(place), 0, -1):  # a fault inside a tuple has its index behind the field's name
        section = _section(place[: end - 1])
        if section and place[end - 1] in section.model_fields:
            return section.model_fields[place[end - 1]]
    return None


def knob_of(field: FieldInfo) -> Knob | None:
    """The knob of a field; None where it is a section."""
    return next((part for part in field.metadata if isinstance(part, Knob)), None)


def allowed_text(field: FieldInfo) -> str:
    """What a field allows, in words: `at least 1, at most 10`, `real | surrogate`; empty where anything goes."""
    knob = knob_of(field)
    return knob.allowed(field.annotation) if knob else ""
