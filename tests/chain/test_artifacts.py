"""The contracts that ship are those of the sources: rebuilt byte for byte where Node is, and no AGPL among them."""

import filecmp
import json
import re
import shutil
import subprocess

import pytest

from flnft_sim.chain.artifacts import CONTRACTS, Artifact, artifact, read_artifact
from flnft_sim.errors import InputError

MOST_RUNTIME, MOST_INIT = 24_576, 49_152  # EIP-170, EIP-3860


def test_every_artifact_matches_its_own_hash_and_fits_a_chain(root):
    for name in CONTRACTS:
        found = artifact(name)
        assert found.contract == name and len(found.bytecode) < MOST_RUNTIME < MOST_INIT
    assert len({artifact(name).input_sha256 for name in CONTRACTS}) == 1
    assert read_artifact(root / "tests/chain/artifacts/Hostile.json").contract == "Hostile"


def test_an_artifact_that_was_changed_is_named(root, tmp_path):
    record = json.loads((root / "flnft_sim/chain/artifacts/FlNft.json").read_text())
    code = record["bytecode"]
    record["bytecode"] = code[:-1] + ("0" if code[-1] != "0" else "1")
    (tmp_path / "FlNft.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=r"FlNft\.json has SHA-256 .* was changed after it was compiled"):
        read_artifact(tmp_path / "FlNft.json")
    for text in ("{}", "no JSON", "[1]"):
        with pytest.raises(InputError, match=r"x\.json is no artifact"):
            Artifact.read(text, "x.json")


def test_the_sources_are_of_licences_that_go_with_ours(root):
    sources = sorted((root / "contracts").glob("*/*.sol"))
    assert {path.stem for path in sources} >= {*CONTRACTS, "ClearingBench", "Hostile"}
    for path in sources:
        assert path.read_text().startswith("// SPDX-License-Identifier: MIT\n"), path
    lock = json.loads((root / "contracts/package-lock.json").read_text())["packages"]
    licences = {package.get("license", "MIT") for name, package in lock.items() if name}
    assert licences <= {"MIT", "ISC", "(MIT OR Apache-2.0)", "MIT OR Apache-2.0", "BSD-3-Clause"}, licences


def test_the_lock_names_no_registry(root):
    assert not re.search(r'"resolved"', (root / "contracts/package-lock.json").read_text())


def test_the_artifacts_are_rebuilt_byte_for_byte(root, tmp_path):
    contracts = root / "contracts"
    if shutil.which("node") is None:
        pytest.skip("no Node.js here to compile the contracts with")
    if not (contracts / "node_modules/solc").is_dir():
        pytest.skip("no compiler: run npm ci in contracts/ to compile the contracts")
    subprocess.run(["node", contracts / "compile.js", tmp_path], check=True, capture_output=True)
    rebuilt = sorted(tmp_path.rglob("*.json"))
    assert {path.stem for path in rebuilt} == {*CONTRACTS, "ClearingBench", "Hostile"}
    for path in rebuilt:
        assert filecmp.cmp(path, root / path.relative_to(tmp_path), shallow=False), path.name
