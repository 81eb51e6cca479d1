"""What a round's agreement tells of its members becomes rows of the table `users`, or is refused by name."""

from dataclasses import MISSING, fields

import numpy as np
import pytest

from flnft_sim.agents.dao.members import _lists
from flnft_sim.errors import InputError
from flnft_sim.results.tables import COLUMNS, UserRow

NEEDED = {each.name: np.arange(3.0) for each in fields(UserRow) if each.default is MISSING}


def test_what_has_a_default_may_be_left_out():
    told = dict(zip(COLUMNS["users"], _lists(NEEDED | {"dao": "dao-0"}, 3), strict=True))
    assert told["dao"] == ["dao-0"] * 3 and told["masking_s"] == [0.0] * 3 and told["train_s"] == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("wrong", [NEEDED | {"mood": 1.0}, {k: v for k, v in NEEDED.items() if k != "loss"}])
def test_other_columns_are_refused_by_name(wrong):
    with pytest.raises(InputError, match=r"users has no such columns, or more: (mood|loss)"):
        _lists(wrong, 3)
