"""What a part can be told, declared once, beside the part: meaning, unit, source in the paper, default and limits.

    @dataclass(frozen=True, kw_only=True)
    class ClockworkSettings(Settings):
        period_s: Annotated[float, Knob("time from one block to the next", unit="s", gt=0)] = 10.0

Such a class checks itself when it is made. The sections of a scenario are made of the same knobs, so what a scenario
says and what a part takes have one name, one unit, one default and one range. A field without a knob is for code alone:
no scenario can set it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, fields
from functools import cache
from math import isfinite
from numbers import Integral, Real
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from flnft_sim.errors import InputError, did_you_mean, shown


@dataclass(frozen=True)
class Knob:
    """One number, word or list that can be set. Limits hold for each number of a list; nothing is always allowed.

    `unit` and `paper` (where the paper has it) are for the tables of all knobs. `items` are the least and the most
    numbers of a list, and `rising` refuses a pair whose first number is the larger one. `steps` is in how many steps
    values go from a whole number to the next: 1 where only whole numbers are allowed.
    """

    meaning: str
    _: KW_ONLY
    unit: str = ""
    paper: str = ""
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    items: tuple[int, int] | None = None
    rising: bool = False
    steps: int | None = None

    def checked[T](self, value: T) -> T:
        """Return the value; raises `ValueError` that says what it should be."""
        numbers: Sequence[Any] = value if isinstance(value, tuple | list) else (value,)
        if self.items and not self.items[0] <= len(numbers) <= self.items[1]:
            raise ValueError(f"should have {self.items[0]} to {self.items[1]} items, not {len(numbers)}")
        for number in numbers:
            if isinstance(number, Real) and not isinstance(number, bool):
                self._check(number)
        if self.rising and numbers[0] > numbers[1]:
            raise ValueError(f"the range is reversed; write [{numbers[1]:g}, {numbers[0]:g}]")
        return value

    def _check(self, number: Any) -> None:
        if not isinstance(number, Integral) and not isfinite(number):
            raise ValueError("should be a finite number")
        if self.ge is not None and number < self.ge:
            raise ValueError(f"should be greater than or equal to {self.ge}")
        if self.gt is not None and number <= self.gt:
            raise ValueError(f"should be greater than {self.gt}")
        if self.le is not None and number > self.le:
            raise ValueError(f"should be less than or equal to {self.le}")
        if self.lt is not None and number >= self.lt:
            raise ValueError(f"should be less than {self.lt}")
        if self.steps is not None and round(number * self.steps) / self.steps != number:
            raise ValueError(
                "should be a whole number" if self.steps == 1 else f"should be a multiple of {1 / self.steps:g}"
            )

    def allowed(self, kind: Any) -> str:
        """What a value of that type may be, in words: `at least 1, at most 10`, `both from 0 to 1`, `real | surrogate`.

        Empty where anything goes.
        """
        if choices := _choices(kind):
            return " | ".join(choices)
        if get_origin(kind) is tuple and self.ge is not None and self.le is not None:
            both = "each" if Ellipsis in get_args(kind) else "both"
            return f"{both} from {self.ge:g} to {self.le:g}"
        return ", ".join(self._limits())

    def _limits(self) -> Iterator[str]:
        if self.steps is not None:
            yield "whole" if self.steps == 1 else f"a multiple of {1 / self.steps:g}"
        if self.gt is not None:
            yield f"above {self.gt:g}"
        if self.ge is not None:
            yield f"at least {self.ge:g}"
        if self.lt is not None:
            yield f"below {self.lt:g}"
        if self.le is not None:
            yield f"at most {self.le:,}" if isinstance(self.le, int) else f"at most {self.le:g}"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Let a scenario's section check the value as the part's own settings do."""
        from pydantic_core.core_schema import no_info_after_validator_function

        return no_info_after_validator_function(self.checked, handler(source))


def _choices(kind: Any) -> tuple[str, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a part can be told; a subclass is a frozen dataclass. A value out of range is an `InputError`."""

    def __post_init__(self) -> None:
        for name, (kind, knob) in knobs(type(self)).items():
            value = getattr(self, name)
            try:
                _fitting(value, kind)
                knob.checked(value)
            except ValueError as error:
                allowed = f" (allowed: {text})" if (text := knob.allowed(kind)) else ""
                raise InputError(f"{type(self).__name__}: {name} = {shown(value)}: {error}{allowed}") from None


def _fitting(value: Any, kind: Any) -> None:
    """Raise `ValueError` for a value that is no word or no number of the kind; a scenario's section does so itself."""
    choices = _choices(kind)
    if choices and value not in choices:
        raise ValueError(f"should be one of the words{did_you_mean(str(value), choices)}")
    if kind in (int, int | None) and not isinstance(value, Integral | None):
        raise ValueError("should be a whole number")
    if kind in (float, float | None) and not isinstance(value, Real | None):
        raise ValueError("should be a number")


def picked[S: Settings](kind: type[S], source: object) -> S:
    """Make settings of what `source`, a section of a scenario say, has under their names; the rest are defaults."""
    names = (field.name for field in fields(kind))
    return kind(**{name: getattr(source, name) for name in names if hasattr(source, name)})


@cache
def _knobs(settings: Any) -> Mapping[str, tuple[Any, Knob]]:
    found: dict[str, tuple[Any, Knob]] = {}
    hints = get_type_hints(settings, include_extras=True)
    for name in (field.name for field in fields(settings)):
        if get_origin(hints[name]) is Annotated:
            kind, *extras = get_args(hints[name])
            found.update((name, (kind, knob)) for knob in extras if isinstance(knob, Knob))
    return found


def knobs(settings: type) -> Mapping[str, tuple[Any, Knob]]:
    """Return what can be set in a dataclass of settings, in order: field -> its type and its knob."""
    return _knobs(settings)
