"""Fields that are found when somebody asks."""

import copy
import pickle
from dataclasses import dataclass, replace

import pytest

from flnft_sim.late import late, made
from flnft_sim.market import Lots


@late("double", "text")
@dataclass(frozen=True)
class Number:
    value: int
    double: int
    text: str
    unit: str = "m"

    def _find_double(self):
        return 2 * self.value


def test_what_is_asked_for_is_found_once_and_what_is_given_is_not_looked_for():
    asked = []
    number = made(Number, value=3, _find_text=lambda: asked.append(1) or "three")
    assert not asked
    assert (number.double, number.text, number.text, number.unit) == (6, "three", "three", "m")
    assert asked == [1]
    assert Number(3, 7, "drei").double == 7
    assert number == Number(3, 6, "three") != Number(3, 7, "three")
    assert replace(number, value=4) == Number(4, 6, "three")


def test_what_fails_to_be_found_fails_alike_again():
    number = made(Number, value=3, _find_text=lambda: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            number.text  # noqa: B018


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda number: pickle.loads(pickle.dumps(number))])
def test_a_copy_is_whole(again):
    number = again(made(Number, value=3, _find_text=lambda: "three"))
    assert vars(number) == {"value": 3, "double": 6, "text": "three", "unit": "m"}
    lots = Lots.sealed(bytes(32), bidders=[bytes([each] * 20) for each in range(4)], tokens=[7])
    assert again(lots).bids.tolist() == lots.bids.tolist()
