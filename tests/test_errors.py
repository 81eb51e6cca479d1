"""Every foreseen error is one sentence of bounded length, with a hint where one is near."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import SHOWN, FlnftError, InputError, UnknownNameError, bare, did_you_mean, shown

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


def test_all_errors_have_one_root_and_bad_input_is_a_value_error():
    assert issubclass(InputError, FlnftError) and issubclass(InputError, ValueError)
    assert issubclass(UnknownNameError, InputError)


@given(anything)
def test_a_value_is_quoted_on_one_line_of_bounded_length(value):
    for text in (shown(value), bare(value)):
        assert "\n" not in text
        assert len(text) <= SHOWN + 2


def test_values_that_python_cannot_print_are_quoted_too():
    nested: list = []
    for _ in range(100_000):
        nested = [nested]
    assert shown(nested) == "a list too large to print"
    assert shown(10**10_000) == "a int too large to print"
    while nested:  # or freeing it would recurse, too
        nested = nested[0]


def test_an_unknown_name_is_answered_with_the_closest_and_all_known():
    error = UnknownNameError("rule", "mcafe", ["vcg", "mcafee"])
    assert str(error) == "unknown rule 'mcafe', did you mean 'mcafee'?; known: mcafee, vcg"
    assert "did you mean" not in str(UnknownNameError("rule", "zzz", ["vcg", "mcafee"]))


@given(st.text(min_size=1), st.lists(st.text(min_size=1), max_size=5))
def test_only_known_names_are_suggested(name, known):
    hint = did_you_mean(name, known)
    assert hint == "" or any(hint == f", did you mean {each!r}?" for each in known)


def test_a_name_of_megabytes_is_not_searched_for():
    assert did_you_mean("x" * 10_000_000, ["x" * 10]) == ""


def test_an_unknown_name_crosses_processes():
    """Sweeps' workers send their errors home."""
    error = pickle.loads(pickle.dumps(UnknownNameError("rule", "mcafe", ["vcg", "mcafee"])))
    assert (error.family, error.name, error.known) == ("rule", "mcafe", ["mcafee", "vcg"])
    assert "did you mean 'mcafee'" in str(error)
