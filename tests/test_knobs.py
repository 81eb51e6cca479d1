"""A knob means the same to a part made in Python and to a section of a scenario."""

import math
from dataclasses import FrozenInstanceError, dataclass
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flnft_sim.errors import InputError
from flnft_sim.knobs import Knob, Settings, knobs
from flnft_sim.scenario.schema import Section


@dataclass(frozen=True, kw_only=True)
class Toy(Settings):
    """One knob of each kind, and a field for code alone."""

    share: Annotated[float, Knob("a share", ge=0, le=1)] = 0.5
    open_end: Annotated[float, Knob("above 0, below 10", unit="s", gt=0, lt=10)] = 1.0
    count: Annotated[int | None, Knob("a count", unit="count", ge=1)] = None
    pair: Annotated[tuple[float, float], Knob("a range", ge=-5, le=5, rising=True)] = (0.0, 1.0)
    many: Annotated[tuple[float, ...], Knob("some", gt=0, items=(1, 3))] = (1.0,)
    word: Annotated[Literal["one", "other"], Knob("a choice")] = "one"
    wiring: object = None


class ToySection(Section, Toy, frozen=True):
    """The same knobs, as a scenario has them."""


numbers = st.one_of(st.floats(), st.integers(-20, 20), st.sampled_from([0.0, 1.0, 10.0, 5e-324, math.inf, math.nan]))
VALUES = {
    "share": numbers,
    "open_end": numbers,
    "count": st.none() | st.integers(),
    "pair": st.tuples(numbers, numbers),
    "many": st.lists(numbers, max_size=5).map(tuple),
    "word": st.sampled_from(["one", "other", "", "ones"]),
}


def accepted(kind, error, **fields):
    try:
        kind(**fields)
    except error:
        return False
    return True


@pytest.mark.parametrize("field", VALUES)
@given(data=st.data())
def test_settings_and_sections_take_and_refuse_the_same_values(field, data):
    value = data.draw(VALUES[field])
    assert accepted(Toy, InputError, **{field: value}) == accepted(ToySection, ValidationError, **{field: value})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"share": 2}, "Toy: share = 2: should be less than or equal to 1 (allowed: at least 0, at most 1)"),
        ({"open_end": 0.0}, "open_end = 0.0: should be greater than 0 (allowed: above 0, below 10)"),
        ({"open_end": math.nan}, "should be a finite number"),
        ({"pair": (1.0, 0.0)}, "the range is reversed; write [0, 1] (allowed: both from -5 to 5)"),
        ({"count": 1.5}, "count = 1.5: should be a whole number (allowed: at least 1)"),
        ({"share": "1"}, "share = '1': should be a number"),
        ({"many": ()}, "should have 1 to 3 items, not 0"),
        ({"word": "ones"}, "word = 'ones': should be one of the words, did you mean 'one'? (allowed: one | other)"),
    ],
)
def test_a_value_out_of_range_is_one_sentence(fields, words):
    with pytest.raises(InputError) as refusal:
        Toy(**fields)
    assert words in str(refusal.value)


def test_a_field_without_a_knob_is_for_code_alone():
    assert list(knobs(Toy)) == list(VALUES)


def test_a_section_is_its_parts_settings_and_nothing_changes_afterwards():
    section = ToySection(share=0.25)
    assert isinstance(section, Toy) and section.share == 0.25
    with pytest.raises(ValidationError, match="frozen"):
        section.share = 0.5
    with pytest.raises(FrozenInstanceError):
        Toy().share = 0.5
