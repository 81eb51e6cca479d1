"""One way to plug in a part: the same for clearing rules, protocols, models, aggregators, schemes, beliefs, data …

    RULES: Registry[Rule] = Registry("clearing rule", group="flnft_sim.rules")

    @RULES.register("my-rule")
    def my_rule(bids, asks, reserve, priority): ...

A part outside this package registers itself by an entry point of the registry's group, and is found by name. The
registries of this package are in `flnft_sim.families`, which knows the module of each part that ships.

What a part can be told it says once, by a frozen dataclass of knobs (`flnft_sim.knobs`): the class attribute `Settings`
of a class, or `register("my-part", settings=MySettings)` for a function.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from flnft_sim.errors import InputError, UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints


OWN = "a part of your own is known by --import FILE.py, or by `import:` in the scenario"


class Registry[T]:
    """Named parts of one family. Looking up an unknown name raises `UnknownNameError` with the closest one.

    `homes` says for names that are known beforehand which module registers them: it is imported when the part is first
    asked for. Names are listed and checked without importing a part.
    """

    def __init__(self, family: str, *, group: str, homes: Mapping[str, str] | None = None) -> None:
        self.family, self.group = family, group
        self._homes = dict(homes or {})
        self._parts: dict[str, T] = {}
        self._settings: dict[str, type] = {}
        self._facts: dict[str, Any] = {}

    def register(self, name: str, *, settings: type | None = None, facts: Any = None) -> Callable[[T], T]:
        """Decorator that stores a part under `name`, a name is given once.

        With it come the class of its settings, and what is known of the part before it is used.
        """

        def store(part: T) -> T:
            if name in self._parts or (name in self._homes and self._homes[name] not in sys.modules):
                raise InputError(f"{self.family} {name!r} is registered twice; choose another name")
            self._parts[name] = part
            if settings is not None:
                self._settings[name] = settings
            if facts is not None:
                self._facts[name] = facts
            return part

        return store

    def get(self, name: str) -> T:
        """The part of that name, from this package or from an installed entry point."""
        if name not in self._parts:
            self._import(name)
        if name not in self._parts:
            raise self.unknown(name)
        return self._parts[name]

    def settings_class(self, name: str) -> type | None:
        """The class of what the part can be told; None where it can be told nothing."""
        part = self.get(name)
        kind = self._settings.get(name) or getattr(part, "Settings", None)
        if kind is not None and not is_dataclass(kind):
            raise InputError(f"{self.family} {name!r}: its Settings are no dataclass; see flnft_sim.knobs")
        return kind

    def facts(self, name: str) -> Any:
        """What was registered as known of a part; None where nothing was."""
        self.get(name)
        return self._facts.get(name)

    def settings(self, name: str, **told: Any) -> Any:
        """The settings of a part with these fields, None where it has none; an unknown field is an `InputError`."""
        kind = self.settings_class(name)
        known = [field.name for field in fields(kind)] if kind else []
        for field in told:
            if field not in known:
                raise InputError(
                    f"{self.family} {name!r} has no setting {field!r}{did_you_mean(field, known)}; "
                    f"known: {', '.join(known) or 'none'}"
                )
        return kind(**told) if kind else None

    def given(self, name: str, **told: Any) -> dict[str, Any]:
        """The keyword `settings` that a part is called with; none where it has no settings."""
        settings = self.settings(name, **told)
        return {} if settings is None else {"settings": settings}

    def unknown(self, name: str) -> UnknownNameError:
        """The error for a name that nobody registered; it says how to make one's own part known."""
        return UnknownNameError(self.family, name, self.names(), remedy=OWN)

    def own_names(self) -> set[str]:
        """The names in use that do not ship."""
        return self._parts.keys() - self._homes.keys()

    def forget(self, name: str) -> None:
        """Let a part go that does not ship, so that its name is free for another."""
        for known in (self._parts, self._settings, self._facts):
            known.pop(name, None)

    def ships(self, name: str) -> bool:
        """Whether the part of that name is this package's own."""
        return name in self._homes

    def names(self) -> list[str]:
        """All known names, sorted; those of entry points included."""
        return sorted({*self._parts, *self._homes, *(point.name for point in _entry_points(self.group))})

    def _import(self, name: str) -> None:
        if name in self._homes:
            import_module(self._homes[name])
            return
        for point in _entry_points(self.group, name=name):
            try:
                part = point.load()
            except Exception as error:
                raise InputError(
                    f"{self.family} {name!r} of an installed package cannot be loaded from {point.value} "
                    f"({type(error).__name__}: {error}); mend that package, or choose another"
                ) from error
            self._parts.setdefault(name, part)  # loading may have registered it by decorator already

    def __contains__(self, name: object) -> bool:
        # Looking for entry points reads every installed package: only for names that are not known otherwise.
        return name in self._parts or name in self._homes or name in self.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())


def _entry_points(group: str, name: str | None = None) -> "EntryPoints":
    """The installed entry points of a group; their library is slow to import, and names that ship do not need it."""
    from importlib.metadata import entry_points

    points = entry_points(group=group)
    return points if name is None else points.select(name=name)
