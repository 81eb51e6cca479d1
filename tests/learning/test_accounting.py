"""Accounting of noisy steps on Poisson lots, against other accountants' values, and what must hold of any."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.learning import dp_epsilon, dp_noise_multiplier
from flnft_sim.learning.accounting import dp_epsilon_renyi

VALUES = json.loads((Path(__file__).parent / "dp_values.json").read_text())
DELTA = VALUES["delta"]

segments = st.tuples(st.sampled_from([0.05, 0.1, 0.5, 1.0]), st.floats(2.0, 8.0), st.integers(1, 60))


@pytest.mark.parametrize("case", VALUES["forward"])
def test_epsilon_is_that_of_other_accountants(case):
    told = dp_epsilon([(s["sampling_rate"], s["noise_multiplier"], s["steps"]) for s in case["segments"]], DELTA)
    others = case["epsilon"]
    low = others["microsoft_prv"][0] if others.get("microsoft_prv") else others["dp_accounting_pld"] - 0.02
    assert low <= told <= others["dp_accounting_pld"] * 1.01 + 0.01
    assert told <= others["dp_accounting_rdp"]


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=pytest.mark.slow) if n else case for n, case in enumerate(VALUES["inverse"])],
)
def test_the_noise_for_an_epsilon_is_enough_and_hardly_more(case):
    told = dp_noise_multiplier(case["sampling_rate"], case["target_epsilon"], case["steps"], DELTA)
    least = case["noise_multiplier"]["dp_accounting_pld"]
    assert least <= told <= least * 1.01
    assert dp_epsilon([(case["sampling_rate"], told, case["steps"])], DELTA) <= case["target_epsilon"]


@settings(max_examples=5, deadline=None)
@given(segments)
def test_more_noise_fewer_steps_and_smaller_lots_reveal_less(segment):
    rate, noise, steps = segment
    told = dp_epsilon([segment], DELTA)
    assert dp_epsilon([(rate, noise * 1.5, steps)], DELTA) <= told
    assert dp_epsilon([(rate, noise, 2 * steps)], DELTA) >= told
    assert dp_epsilon([(rate / 2, noise, steps)], DELTA) <= told + 1e-9


@settings(max_examples=5, deadline=None)
@given(segments, st.integers(1, 60))
def test_two_parts_are_the_whole(segment, more):
    rate, noise, steps = segment
    parts = dp_epsilon([segment, (rate, noise, more)], DELTA)
    assert parts == pytest.approx(dp_epsilon([(rate, noise, steps + more)], DELTA), rel=1e-2, abs=1e-2)


@pytest.mark.parametrize("case", [case for case in VALUES["forward"] if len(case["segments"]) == 1])
def test_renyi_accounting_is_that_of_other_accountants_and_never_tighter(case):
    (s,) = case["segments"]
    told = dp_epsilon_renyi(s["sampling_rate"], s["noise_multiplier"], s["steps"], DELTA)
    assert told == pytest.approx(case["epsilon"]["dp_accounting_rdp"], rel=0.01)
    assert told >= case["epsilon"]["dp_accounting_pld"]


def test_nothing_done_reveals_nothing():
    assert dp_epsilon([], DELTA) == dp_epsilon([(0.1, 1.0, 0)], DELTA) == 0.0


@pytest.mark.parametrize(
    ("segment", "delta", "place"),
    [
        ((0.0, 1.0, 1), DELTA, "sampling_rate"),
        ((1.1, 1.0, 1), DELTA, "sampling_rate"),
        ((0.1, 0.0, 1), DELTA, "noise_multiplier"),
        ((0.1, 1.0, -1), DELTA, "steps"),
        ((0.1, 1.0, 1.5), DELTA, "steps"),
        ((0.1, 1.0, 1), 0.0, "delta"),
        ((0.1, 1.0, 1), 1.0, "delta"),
    ],
)
def test_bad_input_is_one_sentence(segment, delta, place):
    with pytest.raises(InputError, match=place) as error:
        dp_epsilon([segment], delta)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("epsilon", "steps"), [(0.0, 10), (float("nan"), 10), (1.0, 0)])
def test_no_noise_is_found_for_nonsense(epsilon, steps):
    with pytest.raises(InputError):
        dp_noise_multiplier(0.1, epsilon, steps, DELTA)
