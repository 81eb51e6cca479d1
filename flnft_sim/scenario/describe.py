"""The schema as a table: what `flnft scenarios describe` prints and docs/scenarios.md holds."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from inspect import get_annotations

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flnft_sim.errors import UnknownNameError
from flnft_sim.scenario.explain import allowed_text, knob_of
from flnft_sim.scenario.schema import Scenario


def describe_fields(section: str | None = None) -> list[dict[str, str]]:
    """Every field, or those of one section, as rows: field, default, unit, allowed, paper, meaning."""
    if section is not None and section not in Scenario.model_fields:
        raise UnknownNameError("section", section, list(Scenario.model_fields))
    return [row for row in _rows(Scenario, "") if section is None or row["field"].split(".")[0] == section]


def fields_markdown() -> str:
    """The documentation page of all fields."""
    lines = [
        "# Every field of a scenario",
        "",
        "Made by `flnft scenarios describe --markdown` from `flnft_sim/scenario/schema.py`.",
    ]
    heading = None
    for row in describe_fields():
        section = row["field"].rpartition(".")[0] or "scenario"
        if section != heading:
            heading = section
            lines += [
                "",
                f"## {section}",
                "",
                "| field | default | unit | allowed | paper | meaning |",
                "|" + "---|" * 6,
            ]
        cells = [cell.replace("|", "\\|") for cell in row.values()]
        lines.append(f"| `{cells[0]}` | {' | '.join(cells[1:])} |")
    return "\n".join(lines) + "\n"


def _rows(section: type[BaseModel], prefix: str) -> Iterator[dict[str, str]]:
    for name in _in_order(section):
        field = section.model_fields[name]
        if inner := _inner_section(field):
            yield from _rows(inner, f"{prefix}{name}.")
        elif knob := knob_of(field):
            yield {
                "field": prefix + name,
                "default": "none" if field.default is None else str(field.default),
                "unit": knob.unit,
                "allowed": allowed_text(field),
                "paper": knob.paper,
                "meaning": knob.meaning,
            }


def _in_order(section: type[BaseModel]) -> list[str]:
    """A section's own fields first, then those that it has from its parts, and the sections within it last."""
    parts = (field.name for kind in section.__bases__ if is_dataclass(kind) for field in fields(kind))
    names = dict.fromkeys(name for name in (*get_annotations(section), *parts) if name in section.model_fields)
    return sorted(names, key=lambda name: _inner_section(section.model_fields[name]) is not None)


def _inner_section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
