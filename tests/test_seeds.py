"""Every door that takes a seed says in one sentence which seeds there are."""

import numpy as np
import pytest

from flnft_sim.errors import InputError
from flnft_sim.learning import build_model, load_dataset
from flnft_sim.market import audit, clear
from flnft_sim.market.audit import efficiency_by_size
from flnft_sim.streams import Streams

DOORS = {
    "streams": lambda seed: Streams(seed),
    "audit": lambda seed: audit("mcafee", markets=1, seed=seed),
    "sizes": lambda seed: efficiency_by_size(["mcafee"], markets=1, seed=seed),
    "clear": lambda seed: clear("mcafee", [2.0, 1.0], [1.0], seed=seed),
    "model": lambda seed: build_model("mlp", (1, 8, 8), 10).initial(seed),
    "data": lambda seed: load_dataset("digits", seed=seed),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("seed", [-1, True, 1.5, "3", None])
def test_a_seed_is_a_whole_number_of_0_or_more(door, seed):
    with pytest.raises(InputError, match="give a whole number of 0 or more"):
        DOORS[door](seed)


@pytest.mark.parametrize("door", DOORS)
def test_numpys_whole_numbers_are_seeds(door):
    DOORS[door](np.int64(3))
