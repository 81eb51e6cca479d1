"""A user that is bound to an ε answers prices with epochs alone, the best that go with it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import any_problem

from flnft_sim.errors import InputError
from flnft_sim.game import decide, terms_for_all, user_exploitability
from flnft_sim.game.incentives import Incentives
from flnft_sim.game.incentives.base import THE_PAPERS


def bound(seed, share=0.5):
    problem = replace(any_problem(seed), user_reply="own-age")
    rng = np.random.default_rng(seed)
    count = len(problem.users.privacy_costs)
    return replace(problem, contracted_privacy=np.where(rng.random(count) < share, rng.uniform(1, 5, count), np.nan))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_the_answer_is_the_contract_and_the_epochs_are_the_best_for_it(seed):
    problem = bound(seed)
    step = decide(problem, most_steps=50)
    told = problem.contracted_privacy
    is_bound = ~np.isnan(told)
    assert np.array_equal(step.privacy[is_bound], told[is_bound])
    for user in np.flatnonzero(is_bound)[:5]:
        terms, most = step.terms.of(np.array([user])), int(step.terms.most_epochs[user])
        heights = [terms.utilities(np.array([float(k)]), np.array([told[user]]))[0] for k in range(1, most + 1)]
        assert heights[step.epochs[user] - 1] == pytest.approx(max(heights))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_bound_to_what_it_would_choose_anyway_nothing_changes(seed):
    free = replace(any_problem(seed), user_reply="own-age")
    chosen = decide(free, most_steps=50)
    again = decide(replace(free, contracted_privacy=chosen.privacy), most_steps=50)
    assert np.array_equal(again.takes_part, chosen.takes_part)
    assert again.privacy == pytest.approx(chosen.privacy)
    assert again.quality_prices == pytest.approx(chosen.quality_prices, rel=1e-4)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_who_keeps_its_contract_forgoes_nothing_by_it(seed):
    problem = bound(seed, share=1.0)
    step = decide(problem, most_steps=200)
    played = np.where(step.takes_part, step.epochs, 0).astype(float)
    forgone = user_exploitability(terms_for_all(problem, step), played, step.privacy)
    assert forgone[step.takes_part].max(initial=0.0) <= 1e-6 * max(1.0, float(np.abs(step.utilities).max()))


def test_other_incentives_cannot_be_bound():
    problem = replace(any_problem(1), user_reply="own-age")
    count = len(problem.users.privacy_costs)
    with pytest.raises(InputError, match="contracted_privacy"):
        replace(problem, incentives=Incentives.chosen(THE_PAPERS, {}), contracted_privacy=np.full(count, np.nan))
