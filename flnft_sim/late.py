"""Fields that are found when somebody asks: most runs of an environment ask for no signature and no hash."""

from collections.abc import Callable
from dataclasses import fields
from functools import cached_property
from typing import Any


def late[T](*names: str) -> Callable[[type[T]], type[T]]:
    """Let an instance that was `made` without these fields find each, once, when somebody asks for it.

    By the class's method `_find_NAME`, or by a function of that name that it was made with. For frozen dataclasses:
    their constructor still takes every field, and what it is given is never looked for.
    """

    def decorate(owner: type[T]) -> type[T]:
        for name in names:
            finder: cached_property[object] = cached_property(getattr(owner, f"_find_{name}", _by_what_was_given(name)))
            finder.__set_name__(owner, name)
            setattr(owner, name, finder)
        owner.__getstate__ = _whole  # type: ignore[method-assign,assignment]
        return owner

    return decorate


def made[T](owner: type[T], **known: Any) -> T:
    """An instance of a class with late fields, of what is `known` of it and what it finds the others by."""
    own = object.__new__(owner)
    for name, value in known.items():  # one by one: a dictionary is made for those alone of whom something is found
        object.__setattr__(own, name, value)
    return own


def _whole(own: Any) -> dict[str, Any]:
    """What is pickled or copied: every field, found, and no way to find any."""
    return {field.name: getattr(own, field.name) for field in fields(own)}


def _by_what_was_given(name: str) -> Callable[[object], object]:
    def find(own: object) -> object:
        found = vars(own)[f"_find_{name}"]()
        del vars(own)[f"_find_{name}"]
        return found

    return find
