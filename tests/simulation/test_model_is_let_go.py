"""Whoever runs many models in one process holds none of those that are over."""

import gc
import weakref

import pytest

from flnft_sim.simulation import FlnftModel


@pytest.mark.parametrize("scenario", ["tiny", "sound10"])
def test_a_model_is_gone_with_its_last_name(scenario):
    quick = {"learning__learner": "surrogate", "learning__rounds": 1, "game__history_auctions": 0}
    held = []
    for seed in range(2):
        model = FlnftModel(scenario, rng=seed, **quick)
        model.run()
        held.append(weakref.ref(model.world))
        del model
        gc.collect()
    assert [each() for each in held] == [None, None]
