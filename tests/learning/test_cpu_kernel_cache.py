"""Loading, compiling and keeping the kernels: what happens around the mathematics. Each case is a fresh process."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import flnft_sim


def python(code: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


TRAIN = """
import logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
import numpy as np
from flnft_sim.learning.engines.cpu import engine
from flnft_sim.learning import build_model, train_users
said = []
model = build_model("mlp", (1, 8, 8), 10)
engine.warm_up(model, announce=said.append)
engine.warm_up(model, announce=said.append)
x = np.linspace(-1, 1, 33 * 64, dtype=np.float32).reshape(33, 1, 8, 8)
params, losses, norms = train_users(
    model, model.initial(0), [(x, np.arange(33) % 10)], epochs=2, batch_size=10, lr=0.1, momentum=0.5, seed=1,
    engine="cpu")
"""


def test_importing_the_learning_package_loads_no_compiler():
    loaded = python(
        "import sys, flnft_sim.learning, flnft_sim.learning.engines.cpu.engine; print(*sys.modules)"
    ).split()
    assert not {"numba", "llvmlite", "torch"} & set(loaded)


def test_every_width_and_every_source_has_its_own_directory(tmp_path):
    where = "from flnft_sim.learning.engines.cpu.cache import KEPT; print(KEPT.directory)"
    homes = {"XDG_CACHE_HOME": str(tmp_path)}
    eight, sixteen = (python(where, FLNFT_VECTOR_WIDTH=width, **homes).strip() for width in ("8", "16"))
    changed = python(
        "from pathlib import Path; read = Path.read_bytes\n"
        "Path.read_bytes = lambda path: read(path) + (b'#' if path.name == 'dense.py' else b'')\n" + where,
        FLNFT_VECTOR_WIDTH="8",
        **homes,
    ).strip()
    assert len({eight, sixteen, changed}) == 3
    assert all(path.startswith(str(tmp_path)) for path in (eight, sixteen, changed))
    assert Path(eight).stat().st_mode & 0o077 == 0  # others must not plant machine code there


@pytest.mark.slow
@pytest.mark.parametrize("width", ["8", "16"])
def test_a_cold_start_compiles_once_and_says_so(tmp_path, width):
    report = TRAIN + "import json; print(json.dumps([said, losses[0], norms[0]]))"
    runs = [json.loads(python(report, XDG_CACHE_HOME=str(tmp_path), FLNFT_VECTOR_WIDTH=width)) for _ in range(2)]
    assert [len(said) for said, *_ in runs] == [1, 0]
    assert "once on this machine" in runs[0][0][0]
    assert runs[0][1:] == runs[1][1:]


PRIVATE = """
import hashlib
from flnft_sim import load_scenario, run
(weights,) = run(load_scenario("private10", overrides={"learning.rounds": 1})).weights.values()
print(hashlib.sha256(b"".join(weights[name].tobytes() for name in sorted(weights))).hexdigest())
"""


@pytest.mark.slow
def test_the_first_private_run_on_a_machine_has_the_bytes_of_all_later_ones(tmp_path):
    """Compiled and run by one process, the sums of a private step came out otherwise than read back from the disk."""
    first, second = (python(PRIVATE, XDG_CACHE_HOME=str(tmp_path)) for _ in range(2))
    clone = tmp_path / "clone"  # of the same sources, which Numba compiles anew
    for folder in ("flnft_sim", "scenarios"):
        shutil.copytree(Path(flnft_sim.__file__).parents[1] / folder, clone / folder)
    third = python(f"import sys; sys.path.insert(0, {str(clone)!r})" + PRIVATE, XDG_CACHE_HOME=str(tmp_path))
    assert first == second == third


@pytest.mark.slow
def test_an_unwritable_cache_directory_costs_a_compile_but_no_failure(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    assert python(TRAIN + "print(losses[0] > 0)", XDG_CACHE_HOME=str(blocked)).strip() == "True"


@pytest.mark.slow
def test_the_narrower_vectors_pass_the_same_oracle():
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/learning/test_cpu_engine.py"],
        env={**os.environ, "FLNFT_VECTOR_WIDTH": "8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
