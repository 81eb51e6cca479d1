"""Pages of reference that are made from the code: the Python interface, and the command line."""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from typer.main import get_command

MODULES = {
    "flnft_sim": "Run, load, sweep",
    "flnft_sim.results": "What a run leaves",
    "flnft_sim.scenario": "Scenarios",
    "flnft_sim.sweeps": "Sweeps",
    "flnft_sim.market": "The market",
    "flnft_sim.game": "The game",
    "flnft_sim.learning": "Learning",
    "flnft_sim.network": "The network",
    "flnft_sim.ledger": "Ledgers",
    "flnft_sim.figures": "Figures",
    "flnft_sim.export": "Exports",
    "flnft_sim.registry": "Registries",
    "flnft_sim.knobs": "Settings of parts",
    "flnft_sim.errors": "Errors",
}

_HEAD = """Made from the program. `-v` says in detail what is done, `-q` nothing but errors; the exit status is 0 done,
1 failed, 2 bad usage or scenario, 130 stopped by Ctrl-C, 143 by SIGTERM."""


def api_page() -> str:
    """Every public name of the modules that are meant to be used, with its docstring."""
    lines = ["# The Python interface", "", "Made from the docstrings. `flnft_sim.testing` holds the contract tests."]
    told: set[int] = set()
    for name, title in MODULES.items():
        module = import_module(name)
        lines += ["", f"## {title}: `{name}`", "", _text(module), ""]
        for public in _names(module):
            value = getattr(module, public)
            if id(value) not in told and (inspect.isclass(value) or inspect.isfunction(value)):
                told.add(id(value))
                lines += [*_entry(f"{name}.{public}", value), ""]
    return "\n".join(lines) + "\n"


def command_line_page() -> str:
    """Every command with its arguments and options."""
    from flnft_sim.cli import app

    lines = ["# The command line", "", _HEAD, ""]
    program = get_command(app)
    for name, command in program.commands.items():
        lines += _command(f"flnft {name}", command)
        for inner, each in getattr(command, "commands", {}).items():
            lines += _command(f"flnft {name} {inner}", each)
    return "\n".join(lines) + "\n"


def _names(module: ModuleType) -> list[str]:
    public = getattr(module, "__all__", None)
    if public is not None:
        return [name for name in public if not name.startswith("_")]
    return [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]


def _entry(name: str, value: Any, fence: str = "`````") -> Iterator[str]:
    """A class or function as a directive of Sphinx's Python domain, its docstring as Markdown."""
    kind = "class" if inspect.isclass(value) else "function"
    yield f"{fence}{{py:{kind}}} {name}{_signature(value)}"
    yield _text(value)
    for method, each in vars(value).items() if kind == "class" else ():
        plain = each.__func__ if isinstance(each, classmethod | staticmethod) else each
        if method.startswith("_") or not inspect.getdoc(plain):
            continue
        if isinstance(plain, property):
            yield f"\n````{{py:property}} {method}\n{_text(plain)}\n````"
        elif inspect.isfunction(plain):
            yield f"\n````{{py:method}} {method}{_signature(plain)}\n{_text(plain)}\n````"
    yield fence


def _signature(value: Any) -> str:
    """Names and plain defaults; what a default is that cannot be written down, `...`."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    parameters = [
        each.replace(annotation=each.empty, default=_default(each.default))
        for each in signature.parameters.values()
        if each.name != "self"
    ]
    return str(signature.replace(parameters=parameters, return_annotation=signature.empty))


def _default(value: Any) -> Any:
    plain = value is inspect.Parameter.empty or isinstance(value, bool | int | float | str | None)
    return value if plain else _Unwritten()


class _Unwritten:
    """A default that cannot be written down."""

    def __repr__(self) -> str:
        return "..."


def _text(value: Any) -> str:
    """The docstring, in which a heading or list of definitions stays text."""
    text = inspect.getdoc(value) or ""
    return re.sub(r"::\n\n((?:    .*\n?|\n)+)", _example, text)


def _example(match: re.Match[str]) -> str:
    return ":\n\n```python\n" + inspect.cleandoc(match[1]) + "\n```\n"


def _command(usage: str, command: Any) -> list[str]:
    lines = [f"## `{usage}`", "", (command.help or "").strip(), ""]
    parameters = [each for each in command.params if each.name not in ("help", "verbose", "quiet")]
    if parameters:
        lines += ["| argument or option | default | meaning |", "|---|---|---|"]
    for each in parameters:
        name = ", ".join(each.opts) if each.opts[0].startswith("-") else each.name.upper()
        default = "" if each.default in (None, False, ()) or callable(each.default) else f"`{each.default}`"
        lines.append(f"| `{name}` | {default} | {' '.join((each.help or '').split()).replace('|', chr(92) + '|')} |")
    return [*lines, ""]
