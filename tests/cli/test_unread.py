"""A module left unread is imported once something of it is asked for, and is then what everybody has."""

import subprocess
import sys

import pytest

from flnft_sim.cli import unread

MESA = """
import sys
from flnft_sim.cli.unread import import_mesa, leave_unread
leave_unread()
import_mesa()
import inspect, logging, mesa
assert inspect.getmodule(mesa.Model) is sys.modules["mesa.model"]
assert "MESA.mesa.model" in logging.root.manager.loggerDict
from flnft_sim.simulation import FlnftModel
FlnftModel("tiny")
assert not {"scipy.spatial", "networkx"} & sys.modules.keys()
from mesa.discrete_space import Network
import mesa.discrete_space.grid
assert mesa.discrete_space.Network is Network and "scipy.spatial" in sys.modules
assert mesa.space.MultiGrid.__module__ == "mesa.space"
"""


KECCAK = """
import sys
from flnft_sim.cli.unread import import_keccak
import_keccak()
from flnft_sim.ledger.keccak import keccak
assert keccak(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
assert "pycparser" not in sys.modules
import cffi
assert cffi.FFI().sizeof("int") == 4
"""


@pytest.fixture
def big_part(tmp_path, monkeypatch):
    """A package whose part `big` is left unread."""
    package = tmp_path / "a_library"
    package.mkdir()
    (package / "__init__.py").write_text("from . import big\nimport a_library.big as again\n")
    (package / "big.py").write_text("answer = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(unread, "_UNREAD", ("a_library.big",))
    yield "a_library.big"
    for name in ("a_library", "a_library.big"):
        sys.modules.pop(name, None)


def test_it_is_read_when_something_of_it_is_asked_for(big_part):
    unread.leave_unread()
    import a_library

    stand_in = sys.modules[big_part]
    assert not hasattr(stand_in, "__file__") and sys.modules[big_part] is stand_in
    assert a_library.big.answer == 42
    assert sys.modules[big_part] is not stand_in and sys.modules[big_part].__file__ is not None
    assert stand_in.answer == 42 and a_library.again.answer == 42
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = stand_in.nothing


def test_what_is_imported_already_stays(big_part):
    import a_library

    before = a_library.big
    unread.leave_unread()
    assert sys.modules[big_part] is before


def test_mesa_comes_without_its_spaces_for_which_no_model_of_ours_asks():
    done = subprocess.run([sys.executable, "-c", MESA], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_keccak_comes_without_a_parser_of_c_and_leaves_cffi_to_others():
    done = subprocess.run([sys.executable, "-c", KECCAK], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
