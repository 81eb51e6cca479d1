"""Read a scenario: a file, what it extends, and what the user sets on top; every error at once, each with its place."""

from collections.abc import Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.scenario.explain import explain
from flnft_sim.scenario.schema import Scenario

Origins = dict[str, str]  # dotted field -> where it was written


class ScenarioError(InputError):
    """A scenario that cannot run; one line a fault."""


def scenario_folders() -> list[Path]:
    """Where names are looked up: the working directory's scenarios/, then those shipped with the package.

    They lie inside an installed package, and beside the package in a source tree.
    """
    package = Path(str(files("flnft_sim")))
    own = [Path("scenarios"), package / "scenarios", package.parent / "scenarios"]
    return [folder for folder in own if folder.is_dir()]


def scenario_names() -> list[str]:
    """Names of all scenarios that can be loaded by name, sorted."""
    return sorted({path.stem for folder in scenario_folders() for path in folder.glob("*.yaml")})


def find_scenario(name: str | Path) -> Path:
    """The file of a scenario's name or path, or of a run's manifest; raises `UnknownNameError` with the closest."""
    path = Path(name)
    if path.suffix in {".yaml", ".yml", ".json"}:
        if not path.is_file():
            raise ScenarioError(f"scenario file {path} does not exist; `flnft scenarios` lists the shipped ones")
        return path
    for folder in scenario_folders():
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    raise UnknownNameError("scenario", str(name), scenario_names())


def load_scenario(
    name: str | Path = "roblox10",
    *,
    overrides: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> Scenario:
    """Load a scenario by name or path, with dotted `overrides` such as `{"game.sigma": 0.6}` and a seed on top.

    Raises `ScenarioError` (all faults at once: file, field, value, allowed range) and `UnknownNameError`.
    """
    path = find_scenario(name)
    fields, origins = _read(path, chain=())
    fields.setdefault("name", path.stem)
    for field, value in (overrides or {}).items():
        _set(fields, field, value)
        origins[field] = "--set"
    if seed is not None:
        fields["seed"], origins["seed"] = seed, "--seed"
    return _validated(fields, origins, default_origin=str(path))


def with_fields(scenario: Scenario, overrides: Mapping[str, Any]) -> Scenario:
    """The scenario with dotted fields set to other values, checked anew; raises `ScenarioError`."""
    fields = scenario.model_dump()
    for field, value in overrides.items():
        _set(fields, field, value)
    return _validated(fields, dict.fromkeys(overrides, "set"), default_origin=f"scenario {scenario.name}")


def _validated(fields: dict[str, Any], origins: Origins, *, default_origin: str) -> Scenario:
    try:
        return Scenario.model_validate(fields)
    except ValidationError as error:
        raise ScenarioError("\n".join(explain(error, origins, default_origin=default_origin))) from None


def parse_settings(settings: Iterable[str]) -> dict[str, Any]:
    """Turn `["game.sigma=0.6", …]` of the command line into overrides; values are YAML."""
    overrides = {}
    for setting in settings:
        field, equals, text = setting.partition("=")
        if not equals or not field.strip():
            raise ScenarioError(f"--set {setting!r} has no '='; write --set section.field=value")
        try:
            overrides[field.strip()] = yaml.safe_load(text)
        except yaml.YAMLError:
            raise ScenarioError(f"--set {field.strip()}: {text!r} is not a YAML value") from None
    return overrides


def _read(path: Path, *, chain: tuple[Path, ...]) -> tuple[dict[str, Any], Origins]:
    """A file's fields on top of those it extends, with the file each field was written in."""
    if path.resolve() in chain:
        raise ScenarioError(f"{path}: extends itself through {', '.join(p.name for p in chain)}; break the circle")
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", "cannot be read")
        raise ScenarioError(f"{path}:{place} is not YAML: {problem}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path} cannot be read: {error}") from None
    if not isinstance(fields, dict):
        raise ScenarioError(f"{path} must hold fields (name: value), not a {type(fields).__name__}")
    if path.suffix == ".json":  # a run's manifest holds its resolved scenario
        fields = fields.get("scenario", fields)
    parent = fields.pop("extends", None)
    origins = {field: str(path) for field in _leaves(fields)}
    if parent is None:
        return fields, origins
    base_path = path.parent / f"{parent}.yaml"
    base, base_origins = _read(
        base_path if base_path.is_file() else find_scenario(str(parent)), chain=(*chain, path.resolve())
    )
    base.pop("name", None)
    base.pop("description", None)
    return _merge(base, fields), base_origins | origins


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _leaves(fields: Mapping[str, Any], prefix: str = "") -> list[str]:
    leaves = []
    for key, value in fields.items():
        leaves += _leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]
    return leaves


def _set(fields: dict[str, Any], dotted: str, value: Any) -> None:
    *sections, last = dotted.split(".")
    for section in sections:
        inner = fields.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ScenarioError(f"--set {dotted}: {section!r} is a value, not a section")
        fields = inner
    fields[last] = value
