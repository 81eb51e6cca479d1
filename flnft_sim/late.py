"""Fields that are found when somebody asks: most runs of an environment ask for no signature and no hash."""

from collections.abc import Callable
from functools import cached_property


def late[T](*names: str) -> Callable[[type[T]], type[T]]:
    """Let an instance that was made without these fields find each by its method `_find_NAME`, once.

    For frozen dataclasses: their constructor still takes every field, and what it is given is never looked for.
    """

    def decorate(owner: type[T]) -> type[T]:
        for name in names:
            finder: cached_property[object] = cached_property(getattr(owner, f"_find_{name}"))
            finder.__set_name__(owner, name)
            setattr(owner, name, finder)
        return owner

    return decorate
