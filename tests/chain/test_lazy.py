"""Who executes no contracts waits for no engine, and the engine's own parts are whole."""

import json
import subprocess
import sys

import pytest

from flnft_sim.chain.backend import BACKENDS
from flnft_sim.chain.units import from_wei, to_wei
from flnft_sim.errors import InputError

ENGINES = ("eth", "eth_account", "eth_abi", "web3", "ethereum", "flnft_sim.chain.engine_pyevm")


def imported_after(code):
    """Which of the engines' modules a fresh interpreter has imported after `code`."""
    asked = f"{code}\nimport sys, json\nprint(json.dumps([name for name in {ENGINES} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


RUN = """
from flnft_sim import load_scenario, run
run(load_scenario("tiny", overrides={"learning.learner": "surrogate"}))
"""


def test_a_run_of_the_model_imports_no_engine():
    assert imported_after(RUN) == []


def test_the_door_imports_an_engine_when_it_is_used_and_no_client_of_nodes():
    used = imported_after("import sys, flnft_sim.chain\nassert 'eth' not in sys.modules\nflnft_sim.chain.Evm()")
    assert "eth" in used and "web3" not in used
    assert BACKENDS[0] == "model"


@pytest.mark.parametrize("amount", [-1, 0.5, "3", None, True])
def test_units_are_ten_to_the_twelve_wei_and_nothing_else_is_taken(amount):
    assert to_wei(3) == 3 * 10**12 and from_wei(to_wei(7)) == 7
    with pytest.raises(InputError, match="an amount of money in units"):
        to_wei(amount)
    with pytest.raises(InputError, match="give a multiple of 1000000000000 wei"):
        from_wei(10**12 + 1)
