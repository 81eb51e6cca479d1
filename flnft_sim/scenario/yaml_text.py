"""Read YAML that a stranger may have written: what it says is what comes back, and nothing in it can hang the program.

Scenarios, sweeps and the values of `--set` are all read here, from the parser's events, by three rules:

* Nothing is lost. A key that stands twice in one mapping is an error that names both lines; anchors, aliases and merge
  keys (`<<`) work, and every alias is a copy of its own.
* Scalars are YAML 1.2's: `1e-3` is a number, `1:30`, `yes` and `2001-01-01` are text, numbers may be written as in
  Python (`1_000`, `0o10`, `0x1f`, `0b11`). A number with a leading zero, 8 for some readers and 10 for others, is an
  error.
* Everything is bounded: the text and what its aliases make of it, the depth, the digits of a number. Tags are refused.
"""

import re
from collections.abc import Iterator
from math import inf, nan
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from flnft_sim.errors import bare, shown
from flnft_sim.files import read_ordinary
from flnft_sim.json_text import MAX_DEPTH, TextError, read_json, too_deep, whole_number

MAX_SIZE = 1_000_000  # characters of a text and of what its aliases make of it, plus one a value

_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # LibYAML's is ten times as fast; it is not always there

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{sign + word: value for sign, value in (("", inf), ("+", inf), ("-", -inf)) for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys((".nan", ".NaN", ".NAN"), nan),
}
_LEADING_ZERO = re.compile(r"[-+]?0_?[0-9](_?[0-9])*")
_DECIMAL = re.compile(r"[-+]?[0-9](_?[0-9])*")
_BASED = re.compile(r"[-+]?0(o(_?[0-7])+|x(_?[0-9a-fA-F])+|b(_?[01])+)")
_FLOAT = re.compile(r"[-+]?([0-9](_?[0-9])*(\.([0-9](_?[0-9])*)?)?|\.[0-9](_?[0-9])*)([eE][-+]?[0-9]+)?")


class _Node(NamedTuple):
    """A value, how much there is of it, and how deep it goes."""

    value: Any
    size: int
    height: int


def read_file(path: Path) -> Any:
    """What a YAML file holds, or a JSON file (by its ending). Raises `TextError`, with the file's name."""
    text = read_text(path)
    return read_json(text, place=str(path)) if path.suffix == ".json" else read_yaml(text, place=str(path))


def read_text(path: Path) -> str:
    """The text of such a file. Raises `TextError`, with the file's name."""
    try:
        return read_ordinary(path, most=4 * MAX_SIZE).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextError(f"{path} cannot be read: byte {error.start:,} is not UTF-8; save it as UTF-8") from None
    except (OSError, ValueError) as error:
        raise TextError(f"{shown(str(path))} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def read_yaml(text: str, *, place: str) -> Any:
    """What one YAML document says. Raises `TextError`, whose sentence begins with `place`."""
    if len(text) > MAX_SIZE:
        raise TextError(f"{place}: {len(text):,} characters are too many; at most {MAX_SIZE:,} are read")
    try:
        return _Reader(text, place).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join(str(error.problem or error.context).split())
        raise TextError(f"{place}:{where} is not YAML: {bare(problem)}") from None
    except yaml.reader.ReaderError as error:
        raise TextError(
            f"{place} is not YAML: its character {error.position:,}, {_code(error.character)}, may not stand in a text"
        ) from None
    except UnicodeError:
        raise TextError(f"{place}: {shown(text)} is not YAML: it holds characters that are not Unicode text") from None


def _code(character: Any) -> str:
    return f"U+{character:04X}" if isinstance(character, int) else shown(character)


class _Reader:
    """Builds the value of one document from the parser's events."""

    def __init__(self, text: str, place: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_PARSER)
        self._place = place
        self._anchors: dict[str, _Node] = {}
        self._size = 0

    def document(self) -> Any:
        """The only document's value, None where there is none."""
        next(self._events)  # the stream starts
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        node = self._node(next(self._events), depth=0)
        next(self._events)  # the document ends
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise self._error(event, "a second document begins; write one")
        return node.value

    def _node(self, event: Any, depth: int) -> _Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if event.tag is not None:
            raise self._error(event, f"the tag {shown(event.tag)} is not read; write the value alone")
        if isinstance(event, yaml.ScalarEvent):
            node = self._counted(event, _Node(self._scalar(event), 1 + len(event.value), 0))
        elif depth >= MAX_DEPTH:
            raise TextError(too_deep(f"{self._place}: line {event.start_mark.line + 1}"))
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any, depth: int) -> _Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            raise self._error(event, f"the alias *{bare(event.anchor)} has no finished anchor before it")
        if depth + node.height > MAX_DEPTH:
            raise TextError(too_deep(f"{self._place}: line {event.start_mark.line + 1}"))
        self._counted(event, node)
        return node._replace(value=_copy(node.value))

    def _sequence(self, event: Any, depth: int) -> _Node:
        self._counted(event, _Node(None, 1, 0))
        items = []
        while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(inner, depth + 1))
        return _collection([item.value for item in items], items)

    def _mapping(self, event: Any, depth: int) -> _Node:
        self._counted(event, _Node(None, 1, 0))
        fields: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        lines: dict[str, int] = {}
        nodes = []
        while not isinstance(key := next(self._events), yaml.MappingEndEvent):
            name, line = self._key(key), key.start_mark.line + 1
            if name in lines:
                raise TextError(
                    f"{self._place}: the key {shown(name)} stands twice, on line {lines[name]} and on line {line}; "
                    "keep one"
                )
            lines[name] = line
            value_event = next(self._events)
            node = self._node(value_event, depth + 1)
            nodes.append(node)
            if name == "<<" and not key.style:
                merged = self._merge(value_event, node.value)
            else:
                fields[name] = node.value
        return _collection(merged | fields, nodes)

    def _key(self, event: Any) -> str:
        """A key is the text that is written, whatever it would be as a value."""
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
            raise self._error(event, "a key must be plain text: `name: value`")
        self._counted(event, _Node(None, 1 + len(event.value), 0))
        if event.anchor is not None:
            self._anchors[event.anchor] = _Node(event.value, 1 + len(event.value), 0)
        return str(event.value)

    def _merge(self, event: Any, value: Any) -> dict[str, Any]:
        """What `<<` brings: of several mappings, an earlier one has the word."""
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            raise self._error(event, "`<<` takes a mapping, or a list of mappings: `<<: *anchor`")
        return {key: item for part in reversed(parts) for key, item in part.items()}

    def _scalar(self, event: Any) -> Any:
        """A plain scalar by YAML 1.2's rules and Python's ways to write numbers; a quoted one is text."""
        text = event.value
        if event.style:
            return text
        if text in _WORDS:
            return _WORDS[text]
        place = f"{self._place}: line {event.start_mark.line + 1}"
        if _LEADING_ZERO.fullmatch(text):
            digits = ("-" if text[0] == "-" else "") + (text.lstrip("+-0_") or "0")
            raise TextError(
                f"{place}: {bare(text)} begins with a zero, which some take for octal; write {bare(digits)}, or 0o… "
                "for an octal number, or quote it if it is text"
            )
        if _DECIMAL.fullmatch(text):
            return whole_number(text, place=place, base=10)
        if _BASED.fullmatch(text):
            return whole_number(text, place=place, base=0)
        return float(text) if _FLOAT.fullmatch(text) else text

    def _counted(self, event: Any, node: _Node) -> _Node:
        """Count a value in; aliases of aliases grow without bound otherwise."""
        self._size += node.size
        if self._size > MAX_SIZE:
            raise self._error(event, f"its aliases make more than {MAX_SIZE:,} characters of it; write less")
        return node

    def _error(self, event: Any, what: str) -> TextError:
        return TextError(
            f"{self._place}: line {event.start_mark.line + 1}, column {event.start_mark.column + 1}: {what}"
        )


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _collection(value: Any, nodes: list[_Node]) -> _Node:
    return _Node(value, 1 + sum(node.size for node in nodes), 1 + max((node.height for node in nodes), default=0))
