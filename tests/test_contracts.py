"""Every family has a contract and every part that ships keeps it; a new family or part is found by itself."""

import atexit
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from flnft_sim.families import FAMILIES
from flnft_sim.testing import CONTRACTS, contract_of


def own_data():
    """A file of data of one's own, to be gone with the process."""
    rng = np.random.default_rng(0)
    y = np.arange(400) % 3
    x = rng.normal(size=(400, 1, 8, 8)) + y[:, None, None, None]
    np.savez(path := Path(tempfile.mkdtemp(prefix="flnft-own-")) / "own.npz", x=x, y=y)
    atexit.register(shutil.rmtree, path.parent)
    return str(path)


ON_REAL_DATA = [pytest.mark.data, pytest.mark.usefixtures("data_dir")]
ORACLE = pytest.mark.skipif(find_spec("ethereum") is None, reason="the second engine is not installed (group oracle)")
OF_ANOTHER_SHAPE = {  # what a part's contract must be told beside its name
    **{("flnft_sim.rules", rule): {"draws_lots": True} for rule in ("random", "rsop", "rspe")},
    ("flnft_sim.mechanisms", "sound"): {"fields": {"game.cost_price": 0.5, "market.reserve_money": 1000.0}},
    ("flnft_sim.protocols", "pow"): {"expectation_tolerance": 0.15},  # stale blocks take their share
    ("flnft_sim.protocols", "pbft"): {"settings": {"replicas": 7, "slow": {2: 3.0}}},
    ("flnft_sim.models", "cnn"): {"input_shape": (1, 8, 8)},
    ("flnft_sim.models", "mlp"): {"input_shape": (1, 8, 8)},
    ("flnft_sim.datasets", "mnist"): {"pytestmark": ON_REAL_DATA},
    ("flnft_sim.datasets", "cifar10"): {"pytestmark": ON_REAL_DATA},
    ("flnft_sim.datasets", "file"): {"settings": {"path": own_data()}},
    ("flnft_sim.datasets", "synthetic"): {"settings": {"shape": (2, 6, 5), "classes": 3, "train": 400, "test": 90}},
    ("flnft_sim.engines", "eels"): {"pytestmark": [ORACLE], "forks": ("prague",)},
    ("flnft_sim.partitions", "sizes"): {
        "settings": lambda _case, _labels, users: {"sizes": [1 + user % 3 for user in range(users)]},
        "deals_all": False,
    },
}

for family in FAMILIES:
    for name in filter(family.ships, family if family.group in CONTRACTS else ()):
        kept = contract_of(family.group, name, **OF_ANOTHER_SHAPE.get((family.group, name), {}))
        globals()[f"Test_{family.group.rpartition('.')[2]}_{name}"] = kept


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.group)
def test_every_family_has_a_contract_that_docs_name(family, root):
    assert family.group in CONTRACTS, f"write a contract for {family.family}s in flnft_sim/testing"
    home, _ = CONTRACTS[family.group]
    page = (root / "docs/extending.md").read_text(encoding="utf-8")
    [row] = [line for line in page.splitlines() if line.startswith("|") and f"`{family.group}`" in line]
    assert f"`testing.{home}`" in row


def test_a_part_that_breaks_its_contract_is_found():
    """The classes made here do run the contract: a rule that lets an ask of nobody's approval stand is told."""
    from flnft_sim.market import VOTING

    VOTING.register("anything-goes")(lambda approvals, users: approvals >= 0)
    case = contract_of("flnft_sim.voting", "anything-goes")()
    case.test_it_says_of_each_ask_whether_it_stands()
    with pytest.raises(AssertionError):
        case.test_what_all_others_approve_stands_and_what_nobody_approves_falls()
    with pytest.raises(KeyError):
        contract_of("flnft_sim.nobody", "x")
