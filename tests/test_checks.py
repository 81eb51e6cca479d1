"""Checks of numbers: what is in range comes back as it was, what is not is named with its place and a remedy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.checks import NotFiniteError, OutOfRangeError, finite, not_negative, positive, whole, within
from flnft_sim.errors import InputError

FINITE = st.floats(allow_nan=False, allow_infinity=False)


class ForeignError(InputError):
    """An error of a caller's own."""


@given(st.lists(FINITE))
def test_numbers_in_range_come_back_unchanged(values: list[float]) -> None:
    np.testing.assert_array_equal(finite("x", values), np.array(values, float))
    sizes = np.abs(values)
    np.testing.assert_array_equal(not_negative("x", sizes), sizes)
    above = sizes[sizes > 0]
    np.testing.assert_array_equal(positive("x", above), above)


@given(st.lists(FINITE, min_size=1), FINITE, FINITE)
def test_each_end_of_a_range_is_kept_as_it_is_said(values: list[float], low: float, high: float) -> None:
    array = np.array(values)
    for limits, good in (
        ({"above": low}, array > low),
        ({"at_least": low}, array >= low),
        ({"below": high}, array < high),
        ({"at_most": high}, array <= high),
        ({"above": low, "below": high}, (array > low) & (array < high)),
        ({"at_least": low, "at_most": high}, (array >= low) & (array <= high)),
    ):
        if good.all():
            np.testing.assert_array_equal(within("x", array, **limits), array)
        else:
            first = int(np.flatnonzero(~good)[0])
            with pytest.raises(OutOfRangeError, match=rf"^x\[{first}\] is "):
                within("x", array, **limits)


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (lambda: finite("age", np.nan, "s"), "age is nan s; give a finite number"),
        (lambda: positive("age", [1.0, 0.0]), "age[1] is 0; give numbers above 0"),
        (lambda: positive("age", 0, "s"), "age is 0 s; give a number above 0"),
        (lambda: not_negative("bits", [[1.0, 2.0], [3.0, -0.5]], "bit"), "bits[1, 1] is -0.5 bit; give numbers of at"),
        (lambda: not_negative("bits", [np.inf]), "bits[0] is inf; give finite numbers"),
        (lambda: not_negative("bits", "many"), "bits is 'many'; give numbers"),
        (lambda: within("σ", 1.0, above=0.0, below=1.0), "σ is 1; give a number above 0 and below 1"),
        (lambda: within("ξ", 1.0000001, at_least=0.0, at_most=1.0), "ξ is 1.0000001; give a number of at least 0 and"),
        (lambda: whole("users", 0, least=1), "users is 0; give a whole number of 1 or more"),
        (lambda: whole("replica", 4, most=3), "replica is 4; give a whole number from 0 to 3"),
        (lambda: whole("users", 2.5), "users is 2.5; give a whole number"),
        (lambda: whole("users", True), "users is True; give a whole number"),
        (lambda: whole("pieces", 9, most=3, remedy="deal fewer"), "pieces is 9; deal fewer"),
    ],
)
def test_what_is_wrong_is_told_with_place_value_and_remedy(check, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        check()
    assert str(error.value).startswith(sentence)


def test_the_error_is_the_callers_where_it_has_one() -> None:
    class Narrower(OutOfRangeError):
        pass

    for value, own, raised in (
        (-1.0, ForeignError, ForeignError),
        (np.nan, ForeignError, ForeignError),
        (-1.0, Narrower, Narrower),
        (np.nan, Narrower, NotFiniteError),
        ("?", Narrower, NotFiniteError),
    ):
        with pytest.raises(raised):
            not_negative("x", value, error=own)


def test_an_empty_array_holds_nothing_wrong() -> None:
    assert positive("x", []).shape == (0,)
