"""Calls, events and errors of a contract as bytes, by its ABI."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError, ParseError
from eth_hash.auto import keccak
from eth_utils import to_checksum_address

from flnft_sim.chain.engine import Executed, Log
from flnft_sim.chain.errors import ContractRevert
from flnft_sim.errors import InputError, UnknownNameError, shown

type Json = Mapping[str, Any]

_STANDARD = (  # what the compiler itself reverts with
    {"type": "error", "name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    {"type": "error", "name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
)


@dataclass(frozen=True)
class Event:
    """A log that an ABI knows: its name and values by name."""

    name: str
    values: dict[str, Any]
    address: str

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


class Function:
    """One function of an ABI, or a signature such as `transfer(address,uint256)`."""

    def __init__(self, entry: Json) -> None:
        self.name: str = entry.get("name", "")
        self.inputs = [type_of(each) for each in entry.get("inputs", ())]
        self.names = [each.get("name") or f"argument {number}" for number, each in enumerate(entry.get("inputs", ()))]
        self.outputs = [type_of(each) for each in entry.get("outputs", ())]
        self.components = list(entry.get("inputs", ()))
        self.payable = entry.get("stateMutability", "payable") == "payable"

    @classmethod
    def of_signature(cls, signature: str) -> "Function":
        """Make a function of `name(type,…)`, with what it returns behind it in further brackets if that is known."""
        name, _, rest = signature.replace("returns", "").replace(" ", "").partition("(")
        inputs, outputs = _balanced(rest)
        if outputs:
            outputs, _ = _balanced(outputs.removeprefix("("))
        entry = {"name": name, "inputs": _split(inputs), "outputs": _split(outputs)}
        return cls(entry | {side: [{"type": each} for each in entry[side]] for side in ("inputs", "outputs")})

    @classmethod
    def guessed(cls, name: str, args: Sequence[Any]) -> "Function":
        """Make a function whose types are what the arguments look like: whole numbers are uint256."""
        return cls({"name": name, "inputs": [{"type": _looks_like(value)} for value in args]})

    @property
    def signature(self) -> str:
        """The name with the types of what it takes."""
        return f"{self.name}({','.join(self.inputs)})"

    @cached_property
    def selector(self) -> bytes:
        """The first 4 bytes of the signature's Keccak-256."""
        return bytes(keccak(self.signature.encode())[:4])

    def encode(self, args: Sequence[Any] | Mapping[str, Any]) -> bytes:
        """Return the arguments, in order or by name, as bytes without a selector."""
        if isinstance(args, Mapping):
            args = self._in_order(args)
        if len(args) != len(self.inputs):
            raise InputError(f"{self.signature} takes {len(self.inputs)} arguments and got {len(args)}; give them all")
        plain = [_plain(value, entry) for value, entry in zip(args, self.components, strict=True)]
        try:
            return bytes(encode(self.inputs, plain))
        except (EncodingError, ParseError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{self.signature} cannot take {shown(list(args))}: {error}") from None

    def call(self, args: Sequence[Any] | Mapping[str, Any]) -> bytes:
        """Return the data of a call: the selector and the arguments."""
        return self.selector + self.encode(args)

    def decode(self, output: bytes) -> Any:
        """Return what was returned: nothing, one value, or a tuple."""
        values = _decode(self.outputs, output, self.signature) if self.outputs else ()
        return values[0] if len(values) == 1 else (values or None)

    def _in_order(self, args: Mapping[str, Any]) -> list[Any]:
        for name in args:
            if name not in self.names:
                raise UnknownNameError(f"argument of {self.signature}", name, self.names)
        missing = [name for name in self.names if name not in args]
        if missing:
            raise InputError(f"{self.signature} misses {', '.join(missing)}; give all arguments")
        return [args[name] for name in self.names]


class Abi:
    """The functions, events and errors of one contract, or of several together."""

    def __init__(self, entries: Iterable[Json] = ()) -> None:
        self.entries = tuple(entries)
        entries = [*self.entries, *_STANDARD]
        self._functions: dict[str, list[Function]] = {}
        for entry in _of_type(entries, "function"):
            self._functions.setdefault(entry["name"], []).append(Function(entry))
        constructors = [Function(entry) for entry in _of_type(entries, "constructor")]
        self.constructor = constructors[0] if constructors else Function({"name": "constructor"})
        self._errors = {(error := Function(entry)).selector: error for entry in _of_type(entries, "error")}
        self._events = {_topic(entry): entry for entry in _of_type(entries, "event") if not entry.get("anonymous")}

    @classmethod
    def together(cls, abis: Iterable["Abi"]) -> "Abi":
        """Make one of several contracts that call one another."""
        return cls(entry for abi in abis for entry in abi.entries)

    def __bool__(self) -> bool:
        return bool(self.entries)

    def function(self, name: str, takes: int | None = None) -> Function:
        """Return a function by its name or full signature; one of several of a name, by how many arguments it takes."""
        if "(" in name:
            own = [each for each in self._functions.get(name.partition("(")[0], ()) if each.signature == name]
            return own[0] if own else Function.of_signature(name)
        named = self._functions.get(name)
        if not named:
            raise UnknownNameError("function", name, self._functions, "or give a signature such as f(uint256)")
        fitting = [each for each in named if takes is None or len(each.inputs) == takes] or named
        if len(fitting) > 1:
            raise InputError(
                f"there are several functions {name}: name one of {', '.join(each.signature for each in fitting)}"
            )
        return fitting[0]

    def functions(self) -> list[str]:
        """Return the names of the functions, sorted."""
        return sorted(self._functions)

    def events(self, logs: Iterable[Log]) -> list[Event]:
        """Return those logs that this ABI knows, in order."""
        known = ((self._events.get(log.topics[0] if log.topics else b""), log) for log in logs)
        return [_event(entry, log) for entry, log in known if entry is not None]

    def revert(self, done: Executed, receipt: Any = None) -> ContractRevert:
        """Return the error that a failed transaction ended with; one unknown here has its selector as its name."""
        data = done.output
        if done.failure != "Revert":
            return ContractRevert(done.failure, receipt=receipt)
        error = self._errors.get(data[:4])
        if error is None:
            return ContractRevert(f"0x{data[:4].hex()}" if data else "Revert", (data[4:],) if data[4:] else (), receipt)
        return ContractRevert(error.name, _decode(error.inputs, data[4:], error.signature), receipt)


def type_of(entry: Json) -> str:
    """Return a parameter's type as a signature has it: tuples by what they hold."""
    kind = str(entry["type"])
    if not kind.startswith("tuple"):
        return {"uint": "uint256", "int": "int256"}.get(kind, kind)
    return f"({','.join(type_of(each) for each in entry['components'])}){kind.removeprefix('tuple')}"


@lru_cache(maxsize=1024)
def _topic_of(signature: str) -> bytes:
    return bytes(keccak(signature.encode()))


def _topic(entry: Json) -> bytes:
    return _topic_of(f"{entry['name']}({','.join(type_of(each) for each in entry['inputs'])})")


def _event(entry: Json, log: Log) -> Event:
    indexed = [each for each in entry["inputs"] if each["indexed"]]
    plain = [each for each in entry["inputs"] if not each["indexed"]]
    found = dict(
        zip((each["name"] for each in plain), _decode(list(map(type_of, plain)), log.data, entry["name"]), strict=True)
    )
    for each, topic in zip(indexed, log.topics[1:], strict=True):
        simple = type_of(each) not in ("string", "bytes") and not type_of(each).endswith((")", "]"))
        found[each["name"]] = _decode([type_of(each)], topic, entry["name"])[0] if simple else topic
    return Event(entry["name"], {each["name"]: found[each["name"]] for each in entry["inputs"]}, log.address)


def _decode(types: Sequence[str], data: bytes, place: str) -> tuple[Any, ...]:
    try:
        return tuple(_readable(value, kind) for value, kind in zip(decode(types, data), types, strict=True))
    except (DecodingError, ParseError, OverflowError) as error:
        raise InputError(f"{place}: {len(data)} bytes do not decode as ({', '.join(types)}): {error}") from None


def _readable(value: Any, kind: str) -> Any:
    """A decoded value with its addresses as everybody writes them (EIP-55)."""
    if kind == "address":
        return str(to_checksum_address(value))
    if "address" not in kind:
        return value
    if kind.endswith("]"):
        return tuple(_readable(each, kind[: kind.rindex("[")]) for each in value)
    return tuple(_readable(each, part) for each, part in zip(value, _split(kind[1:-1]), strict=True))


def _of_type(entries: Iterable[Json], kind: str) -> list[Json]:
    return [entry for entry in entries if entry.get("type", "function") == kind]


def _plain(value: Any, entry: Json) -> Any:
    """A value as the encoder takes it: hex as bytes, a struct given by names as a tuple."""
    kind = str(entry["type"])
    if kind.endswith("]") and isinstance(value, Sequence) and not isinstance(value, str | bytes):
        inner = {**entry, "type": kind[: kind.rindex("[")]}
        return [_plain(each, inner) for each in value]
    if kind == "tuple":
        parts = entry["components"]
        given = [value[part["name"]] for part in parts] if isinstance(value, Mapping) else list(value)
        return tuple(_plain(each, part) for each, part in zip(given, parts, strict=True))
    if kind == "address":
        return getattr(value, "address", value)
    if kind.startswith("bytes") and isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    return value


def _looks_like(value: Any) -> str:
    """The type that a value has most likely: bytes of 32 are a word, text of 20 bytes in hex an address."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int256" if value < 0 else "uint256"
    if isinstance(value, bytes):
        return "bytes32" if len(value) == 32 else "bytes"
    if hasattr(value, "address") or (isinstance(value, str) and re.fullmatch(r"0x[0-9a-fA-F]{40}", value)):
        return "address"
    if isinstance(value, str):
        return "string"
    if isinstance(value, Sequence) and value:
        return f"{_looks_like(value[0])}[]"
    raise InputError(f"the type of {shown(value)} cannot be seen from it; give abi=, types= or a whole signature")


def _balanced(text: str) -> tuple[str, str]:
    """Split what follows an opening bracket at the one that closes it."""
    depth = 1
    for place, sign in enumerate(text):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if not depth:
            return text[:place], text[place + 1 :]
    raise InputError(f"the signature '…({text}' has a bracket that is not closed; write name(type,type)")


def _split(types: str) -> list[str]:
    """Split a list of types at the commas outside of brackets."""
    found, depth = [""], 0
    for sign in types:
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "," and not depth:
            found.append("")
        else:
            found[-1] += sign
    return [each for each in found if each]
