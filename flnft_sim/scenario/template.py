"""A scenario as YAML: every field as it is, and a file to begin another one with."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from flnft_sim.scenario.describe import describe_fields
from flnft_sim.scenario.schema import Scenario

_OWN = ("name", "description", "imports")  # what every scenario says for itself, or has from what it extends


def resolved_yaml(scenario: Scenario) -> str:
    """Every field of a scenario as YAML that loads to the same scenario, beside the files that it imports."""
    fields = scenario.model_dump(mode="json")
    files = [each["file"] for each in fields.pop("imports")]
    lines = _lines(({"import": files} if files else {}) | fields, "", lambda _field: "")
    return "".join(f"{line}\n" for line in lines)


def template(name: str, parent: str, scenario: Scenario) -> str:
    """A scenario that extends `parent`, which is `scenario`: its every field, commented out, with what it means.

    A line without its first `# ` is YAML; with all of them off it says what the parent says.
    """
    meanings = {row["field"]: _meaning(row) for row in describe_fields()}
    fields = {key: value for key, value in scenario.model_dump(mode="json").items() if key not in _OWN}
    lines = [
        f"# What is different from {parent}: take the '# ' off a field's line and off its section's, and change it.",
        f"# Run it with: flnft run {name}.yaml",
        f"extends: {parent}",
        f"description: what is different from {parent}, and why",
        *(f"# {line}" for line in _lines(fields, "", lambda field: meanings.get(field, ""))),
    ]
    return "".join(f"{line}\n" for line in lines)


def _lines(fields: Mapping[str, Any], prefix: str, comment: Any) -> Iterator[str]:
    indent = "  " * prefix.count(".")
    for key, value in fields.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{key}:"
            yield from _lines(value, f"{prefix}{key}.", comment)
        else:
            said = comment(f"{prefix}{key}")
            yield f"{indent}{key}: {_scalar(value)}{f'  # {said}' if said else ''}"


def _scalar(value: Any) -> str:
    """A value in YAML on one line."""
    return (
        yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True).split("\n...")[0].strip()
    )


def _meaning(row: Mapping[str, str]) -> str:
    parts = (row["meaning"], row["unit"], row["allowed"], row["paper"])
    return "; ".join(part for part in parts if part).replace("\n", " ")
