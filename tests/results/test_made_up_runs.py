"""Random single changes of a run's folder, each with its SHA-256 mended in the manifest: none is said to hold."""

import csv
import hashlib
import io
import json
import random
import shutil

import pytest

from flnft_sim import FlnftModel, load_scenario, run
from flnft_sim.errors import FlnftError
from flnft_sim.ledger import VerificationError, canonical_json
from flnft_sim.results.folder import add_files, manifest_text
from flnft_sim.results.verify import verify_run

SETTINGS = {"learning.learner": "surrogate", "game.history_auctions": 2, "learning.rounds": 2, "market.auctions": 2}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A finished run with a figure, and one that was interrupted while bids were in escrow."""
    folder, scenario = tmp_path_factory.mktemp("runs"), load_scenario("tiny", overrides=SETTINGS)
    run(scenario).save(folder / "finished", figures=False)
    add_files(folder / "finished", [("figures/accuracy.png", b"\x89PNG a picture")])
    model = FlnftModel(scenario)
    while not any("escrow/" in address and units for address, units in model.world.accounts.balances.items()):
        model.env.step()
    model.result(status="interrupted").save(folder / "interrupted", figures=False)
    return [folder / "finished", folder / "interrupted"]


def test_both_hold(runs):
    reports = [verify_run(each) for each in runs]
    assert [each.status for each in reports] == ["finished", "interrupted"]
    assert reports[0].unsettled == 0 < reports[1].unsettled


# ---- what a forger may change ----------------------------------------------------------------------------------------


def other_value(rng, value):
    """Another value of the same kind, near or far."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + rng.choice([-1, 1, 1000])
    if isinstance(value, float):
        return value * rng.choice([0.5, 1.0 + 1e-9, 2.0]) + rng.choice([1e-6, 1.0])
    if isinstance(value, str):
        return rng.choice([value + "0", value[::-1] + "x", "", "finished"])
    return rng.choice([0, 1, "x"])


def change_leaf(rng, value):
    """`value`, of JSON, with one leaf changed."""
    inner = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    if not len(inner):
        return other_value(rng, value)
    key = rng.choice(list(inner))
    changed = dict(value) if isinstance(value, dict) else list(value)
    if rng.random() < 0.05:
        del changed[key]
    else:
        changed[key] = change_leaf(rng, value[key])
    return changed


def table_cell(rng, folder, _manifest):
    name = rng.choice([path.name for path in folder.glob("*.csv") if len(path.read_text().splitlines()) > 1])
    rows = list(csv.reader(io.StringIO((folder / name).read_text(), newline="")))
    row = rng.choice(rows[1:])
    column = rng.randrange(len(row))
    try:
        row[column] = repr(other_value(rng, json.loads(row[column])))
    except ValueError:
        row[column] = other_value(rng, row[column])
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return {name: text.getvalue().encode()}


def table_row(rng, folder, _manifest):
    name = rng.choice([path.name for path in folder.glob("*.csv")])
    lines = (folder / name).read_text().splitlines(keepends=True)
    place = rng.randrange(len(lines))
    lines[place : place + 1] = rng.choice([[], [lines[place]] * 2])
    return {name: "".join(lines).encode()}


def manifest_value(rng, _folder, manifest):
    key = rng.choice([key for key in manifest if key not in ("files", "signature")])
    manifest[key] = change_leaf(rng, manifest[key])
    return {}


def status(rng, _folder, manifest):
    manifest["status"] = rng.choice(sorted({"finished", "interrupted", "failed"} - {manifest["status"]}))
    return {}


def ledger_value(rng, folder, _manifest):
    lines = (folder / "ledger.jsonl").read_text().splitlines()
    place = rng.randrange(len(lines))
    lines[place] = canonical_json(change_leaf(rng, json.loads(lines[place])))
    return {"ledger.jsonl": "".join(f"{line}\n" for line in lines).encode()}


def ledger_line(rng, folder, _manifest):
    lines = (folder / "ledger.jsonl").read_text().splitlines(keepends=True)
    place = rng.randrange(len(lines))
    lines[place : place + 1] = rng.choice([[], [lines[place]] * 2])
    return {"ledger.jsonl": "".join(lines).encode()}


def text_line(rng, folder, manifest):
    name = rng.choice([name for name in ("summary.txt", "trace.json", "fl-nft.js") if name in manifest["files"]])
    lines = (folder / name).read_text().splitlines(keepends=True)
    place = rng.randrange(len(lines))
    lines[place] = lines[place].replace("0", "1", 1) if "0" in lines[place] else ""
    return {name: "".join(lines).encode()}


def other_bytes(rng, folder, manifest):
    name = rng.choice(list(manifest["files"]))
    content = bytearray((folder / name).read_bytes())
    if not content or rng.random() < 0.2:
        return {name: rng.randbytes(40)}
    content[rng.randrange(len(content))] ^= rng.randrange(1, 256)
    return {name: bytes(content)}


def struck_off(rng, _folder, manifest):
    names = rng.choice([[name] for name in manifest["files"]] + [["fl-nft.js", "model.safetensors"]])
    return {name: None for name in names if name in manifest["files"]}


def put_there(rng, _folder, _manifest):
    return {rng.choice(["more.csv", "second-nft.js", "figures/more.png", "figures/more.txt"]): rng.randbytes(20)}


def only_struck_off(rng, _folder, manifest):
    del manifest["files"][rng.choice(list(manifest["files"]))]
    return {}


CHANGES = [
    table_cell, table_cell, table_row, manifest_value, manifest_value, status, ledger_value, ledger_line, text_line,
    other_bytes, struck_off, put_there, only_struck_off,
]  # fmt: skip


def made_up(rng, folder, change):
    """Do it in `folder`, mend every SHA-256, and say whether anything is another than before."""
    manifest = json.loads((folder / "manifest.json").read_text())
    before = manifest_text(manifest)
    for name, content in change(rng, folder, manifest).items():
        path = folder / name
        if content is None:
            path.unlink()
            del manifest["files"][name]
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
            manifest["files"][name] = hashlib.sha256(content).hexdigest()
    text = manifest_text(manifest)
    (folder / "manifest.json").write_text(text)
    return text != before


@pytest.mark.parametrize("tries", [78, pytest.param(1400, marks=pytest.mark.slow)])
def test_every_single_change_is_found(runs, tmp_path, tries):
    rng, found = random.Random(tries), 0
    for number in range(tries):
        change = CHANGES[number % len(CHANGES)]
        copy = shutil.copytree(runs[number % 2], tmp_path / "copy")
        if made_up(rng, copy, change):
            with pytest.raises((VerificationError, FlnftError)) as error:
                verify_run(copy)
                pytest.fail(f"try {number} ({change.__name__}) of {tries} is said to hold")
            assert len(str(error.value)) < 1000 and "\n" not in str(error.value)
            found += 1
        shutil.rmtree(copy)
    assert found > 0.9 * tries
