"""The first decision of a run, examined from Python."""

import numpy as np
import pytest

from flnft_sim.errors import InputError
from flnft_sim.experiments.first_decision import first_decision
from flnft_sim.scenario import load_scenario


def test_it_is_the_decision_that_the_run_begins_with():
    scenario = load_scenario("tiny", overrides={"learning.learner": "surrogate"})
    problem, report = first_decision(scenario)
    assert np.size(problem.valuations_quality) == scenario.population.providers
    assert report.equilibrium.provider_gains.max() == pytest.approx(0, abs=1e-2)
    again = first_decision(scenario)
    assert np.array_equal(again.report.played.step.quality_prices, report.played.step.quality_prices)
    other = first_decision(load_scenario("tiny", overrides={"learning.learner": "surrogate"}, seed=8))
    assert not np.array_equal(other.report.played.step.quality_prices, report.played.step.quality_prices)


def test_a_dao_that_is_not_there_is_refused_before_anything_is_played():
    with pytest.raises(InputError, match="DAO 7: tiny has DAOs 0 to 0"):
        first_decision(load_scenario("tiny"), 7)
