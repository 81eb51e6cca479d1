"""Read a scenario: a file, what it extends, and what the user sets on top; every error at once, each with its place."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flnft_sim.errors import InputError, bare, shown
from flnft_sim.files import is_file
from flnft_sim.imports import Source, read_pinned, read_source
from flnft_sim.json_text import MAX_DEPTH, TextError
from flnft_sim.scenario.explain import explain
from flnft_sim.scenario.own_data import data_beside
from flnft_sim.scenario.reading import NamedFiles, name_of, scenario_folders
from flnft_sim.scenario.schema import Scenario
from flnft_sim.scenario.yaml_text import read_yaml

ENDINGS = (".yaml", ".yml", ".json")
MAX_CHAIN = 50  # files that extend one another

Origins = dict[str, str]  # dotted field -> where it was written


class ScenarioError(InputError):
    """A scenario that cannot run; one line a fault."""


SCENARIOS = NamedFiles(kind="scenario", folders=scenario_folders, endings=ENDINGS, error=ScenarioError)


def scenario_names() -> list[str]:
    """Names of all scenarios that can be loaded by name, sorted."""
    return SCENARIOS.names()


def describe_scenario(name: str) -> str:
    """The sentence that a scenario's own file says of it; of a file that cannot be read, why."""
    try:
        return str(_read_one(find_scenario(name))[0].get("description", ""))
    except InputError as error:
        return f"cannot be read: {error}"


def find_scenario(name: str | Path) -> Path:
    """The file of a scenario's name or path, or of a run's manifest; raises `UnknownNameError` with the closest."""
    return SCENARIOS.find(name)


def load_scenario(
    name: str | Path = "roblox10",
    *,
    overrides: Mapping[str, Any] | None = None,
    seed: int | None = None,
    imports: Iterable[str | Path] = (),
) -> Scenario:
    """Load a scenario by name or path, with dotted `overrides` such as `{"game.sigma": 0.6}` and a seed on top.

    `imports` are files of parts of one's own beside those that the scenario names; a file takes the place of one of the
    same name. They are run: their parts are then known by name.

    Raises `ScenarioError` (all faults at once: file, field, value, allowed range) and `UnknownNameError`.
    """
    path = find_scenario(name)
    given = [read_source(each, place="--import") for each in imports]
    fields, origins = _read(path, given)
    fields.setdefault("name", name_of(path))
    _set_all(fields, overrides or {}, origins, place="--set")
    if seed is not None:
        fields["seed"], origins["seed"] = seed, "--seed"
    return _validated(fields, origins, default_origin=str(path))


def with_fields(scenario: Scenario, overrides: Mapping[str, Any]) -> Scenario:
    """The scenario with dotted fields set to other values, checked anew; raises `ScenarioError`."""
    fields, origins = scenario.model_dump(), Origins()
    _set_all(fields, overrides, origins, place="set")
    return _validated(fields, origins, default_origin=f"scenario {scenario.name}")


def _validated(fields: dict[str, Any], origins: Origins, *, default_origin: str) -> Scenario:
    try:
        return Scenario.model_validate(fields)
    except ValidationError as error:
        raise ScenarioError("\n".join(explain(error, origins, default_origin=default_origin))) from None


def parse_settings(settings: Iterable[str], *, option: str = "--set") -> dict[str, Any]:
    """Turn `["game.sigma=0.6", …]` of the command line into overrides; values are YAML, a field is given once."""
    overrides: dict[str, Any] = {}
    written: dict[str, str] = {}
    for setting in settings:
        field, equals, text = setting.partition("=")
        field = field.strip()
        if not equals or not field:
            raise ScenarioError(f"{option} {shown(setting)} has no '='; write {option} section.field=value")
        value = overrides[field] = _setting(text, place=f"{option} {bare(field)}")
        for leaf in leaves({field: value}):
            if leaf in written:
                raise ScenarioError(
                    f"{option} {bare(leaf)} is given twice, in {bare(written[leaf])} and in {bare(setting)}; keep one"
                )
            written[leaf] = setting
    return overrides


def _setting(text: str, *, place: str) -> Any:
    try:
        return read_yaml(text, place=place)
    except TextError as error:
        raise ScenarioError(str(error)) from None


def _read(path: Path, given: Sequence[Source] = ()) -> tuple[dict[str, Any], Origins]:
    """A file's fields on top of those it extends, with the file each field was written in.

    Of files of parts that have one name, what is `given` counts first, then what the file itself names.
    """
    fields, origins, chain = dict[str, Any](), Origins(), list[Path]()
    sources = {source.file: source for source in given}
    while True:
        own, parent = _read_one(path)
        sources = _imported(own, path, sources) | sources
        data_beside(own, path)
        if chain:  # what is extended lends its fields, not its name
            own.pop("name", None)
            own.pop("description", None)
        origins = dict.fromkeys(leaves(own), str(path)) | origins
        fields = merged(own, fields)
        chain.append(path.resolve())
        if parent is None:
            if sources:
                fields["imports"] = [{"file": each.file, "sha256": each.sha256} for each in sources.values()]
            return fields, origins
        beside = path.parent / (parent if Path(parent).suffix in ENDINGS else f"{parent}.yaml")
        path = beside if is_file(beside) else find_scenario(parent)
        if path.resolve() in chain:
            raise ScenarioError(
                f"{path}: extends itself through {bare(', '.join(link.name for link in chain))}; break the circle"
            )
        if len(chain) >= MAX_CHAIN:
            raise ScenarioError(f"{chain[0]}: extends a chain of more than {MAX_CHAIN} files; write it in fewer")


def _read_one(path: Path) -> tuple[dict[str, Any], str | None]:
    """The fields of one file, and the name of what it extends."""
    fields = SCENARIOS.read(path)
    fields = {} if fields is None else fields
    if isinstance(fields, dict) and path.suffix == ".json":  # a run's manifest holds its resolved scenario
        fields = fields.get("scenario", fields)
    if not isinstance(fields, dict):
        raise ScenarioError(f"{path} must hold fields (name: value), not a {type(fields).__name__}")
    parent = fields.pop("extends", None)
    if parent is not None and not isinstance(parent, str):
        raise ScenarioError(f"{path}: extends = {shown(parent)}: should be the name of a scenario, or of a file")
    return fields, parent


def _imported(fields: dict[str, Any], path: Path, known: Mapping[str, Source]) -> dict[str, Source]:
    """Take from a file's fields the files of parts that it names, beside it or, in a manifest, in the run's folder."""
    names, pinned = fields.pop("import", []), fields.pop("imports", [])
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ScenarioError(f"{path}: import = {shown(names)}: should be a Python file beside it, or a list of such")
    try:
        pins = [(str(pin["file"]), str(pin["sha256"])) for pin in pinned]
    except (TypeError, KeyError):
        raise ScenarioError(
            f"{path}: imports = {shown(pinned)}: is what a run writes into its manifest; write import: my_parts.py"
        ) from None
    sources = [read_pinned(*pin, path.parent) for pin in pins if pin[0] not in known]
    sources += [read_source(path.parent / name, place=f"{path}: import") for name in names]
    return {source.file: source for source in sources}


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the fields of `over` on top, section by section."""
    fields = dict(base)
    for key, value in over.items():
        inner = fields.get(key)
        fields[key] = merged(inner, value) if isinstance(value, Mapping) and isinstance(inner, Mapping) else value
    return fields


def leaves(fields: Mapping[str, Any]) -> list[str]:
    """The dotted names of all fields that are no sections, in order; an empty section is its own."""
    return list(flat(fields))


def flat(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The fields by their dotted names, section by section."""
    found: dict[str, Any] = {}
    for key, value in fields.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) and value else {f"{prefix}{key}": value}
    return found


def _set_all(fields: dict[str, Any], overrides: Mapping[str, Any], origins: Origins, *, place: str) -> None:
    """Set dotted fields; a section's worth of them merges into the section, as it does in a file."""
    for dotted, value in overrides.items():
        _set(fields, dotted, value, place=place)
        origins.update(dict.fromkeys(leaves({dotted: value}), place))


def _set(fields: dict[str, Any], dotted: str, value: Any, *, place: str) -> None:
    *sections, last = dotted.split(".")
    if len(sections) > MAX_DEPTH:
        raise ScenarioError(f"{place} {bare(dotted)}: more than {MAX_DEPTH} sections inside one another")
    for section in sections:
        inner = fields.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ScenarioError(f"{place} {bare(dotted)}: {bare(section)} is a value, not a section")
        fields = inner
    fields.update(merged(fields, {last: value}))
