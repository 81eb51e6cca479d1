"""Run folders of strangers: each reader answers in one sentence, and neither waits, nor leaves it, nor falls."""

import json
import os
import random
import shutil
import time

import pytest

from flnft_sim import FlnftModel, RunResult, load_scenario
from flnft_sim.errors import FlnftError
from flnft_sim.results import Claim, altered_files
from flnft_sim.results.folder import add_files
from flnft_sim.results.verify import verify_run
from flnft_sim.scenario.loading import ScenarioError
from flnft_sim.viz.playback import Playback

LIMIT_S = 10.0  # of processor time for one reader; most take some milliseconds
SECRET = "what lies outside the folder"


def add_a_figure(folder):
    add_files(folder, [("figures/new.png", b"1")])


def replace_it(folder):
    """What `flnft run --force` does with a former run's folder."""
    with Claim(folder, force=True) as claim:
        RunResult(manifest={"status": "interrupted"}).save(folder, force=True, figures=False, claim=claim)


READERS = [
    verify_run,
    altered_files,
    Playback.load,
    RunResult.load,
    add_a_figure,
    lambda folder: load_scenario(folder / "manifest.json"),
    replace_it,
]


def sentence(error):
    """What an error says, in one line; a scenario's faults have a line each."""
    lines = str(error).splitlines()
    assert len(lines) == 1 or isinstance(error, ScenarioError), str(error)[:3000]
    assert all(len(line) < 2000 for line in lines), str(error)[:3000]
    return str(error)


def answers(folder):
    """What each reader says of a folder: None, or its sentence. The last one writes, so it comes last."""
    said = []
    for reader in READERS:
        start = time.process_time()
        try:
            reader(folder)
            said.append(None)
        except FlnftError as error:
            said.append(sentence(error))
        assert time.process_time() - start < LIMIT_S
    return said


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "sound"
    settings = {"learning.learner": "surrogate", "game.history_auctions": 2, "learning.rounds": 1}
    model = FlnftModel(load_scenario("tiny", overrides=settings))
    model.run()
    model.result().save(folder, figures=False)
    add_files(folder, [("figures/accuracy.png", b"\x89PNG")])
    return folder


@pytest.fixture
def folder(sound, tmp_path):
    (tmp_path / "secret").write_text(SECRET)
    return shutil.copytree(sound, tmp_path / "run")


def test_a_sound_folder_is_read_by_all(folder):
    assert answers(folder) == [None] * len(READERS)


# ---- what is no ordinary file ---------------------------------------------------------------------------------------


def pipe(path):
    os.mkfifo(path)


def link_outside(path):
    path.symlink_to(path.parents[1] / "secret" if path.parent.name == "run" else "/etc/passwd")


def endless_device(path):
    path.symlink_to("/dev/zero")


def waiting_device(path):
    path.symlink_to("/dev/tty")


def subfolder(path):
    path.mkdir()


def bottomless(path):
    path.touch()
    os.truncate(path, 1 << 40)


def own_process(path):
    path.symlink_to("/proc/self/mem")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "put", [pipe, link_outside, endless_device, waiting_device, subfolder, bottomless, own_process]
)
@pytest.mark.parametrize(
    "name", ["manifest.json", "ledger.jsonl", "accounts.csv", "model.safetensors", "fl-nft.js", "figures/accuracy.png"]
)
def test_only_ordinary_files_are_read(folder, put, name):
    (folder / name).unlink()
    put(folder / name)
    said = answers(folder)
    assert said[0] is not None and name in said[0]
    assert said[1] is not None and name in said[1]
    if not name.startswith("figures"):
        assert said[3] is not None or name == "accuracy.png"
    assert (folder.parent / "secret").read_text() == SECRET
    assert SECRET not in "".join(filter(None, said))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("put", [pipe, link_outside, endless_device, subfolder])
def test_a_claim_is_neither_waited_for_nor_written_through(folder, put):
    put(folder / ".claim")
    said = answers(folder)
    assert said[:6] == [None] * 6
    assert "cannot be written" in said[6]
    assert (folder.parent / "secret").read_text() == SECRET


def test_a_folder_of_figures_that_is_a_link_leads_nowhere(folder, tmp_path):
    shutil.move(folder / "figures", tmp_path / "mine")
    (folder / "figures").symlink_to(tmp_path / "mine")
    said = answers(folder)
    assert "figures is a link" in said[0] and "figures is a link" in said[4]
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["accuracy.png"]


# ---- what a manifest may say -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/passwd", "figures/../../secret", "a/b/c", "", ".", "..", "a\0b", "x" * 5000, "\ud800", "a//b",
     "..\\secret", "figures/", "./ledger.jsonl"],
)  # fmt: skip
def test_names_lead_nowhere_else(folder, name):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest))
    said = answers(folder)
    assert said[0] is not None and said[1] is not None
    assert (folder.parent / "secret").read_text() == SECRET


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "1", "{", "\0" * 100, "[" * 100_000, '{"files":' * 60 + "1" + "}" * 60, "9" * 6000,
     '{"files": []}', '{"files": {"a": 1}}', '{"files": {}}', '{"files": {}, "tables": {}, "summary": {}}',
     '{"files": {}, "files": {}}', '{"files": {}, "tables": 1, "summary": NaN}', '{"files": {}, "seed": 1e999}',
     json.dumps({"files": {f"{n}.csv": "0" for n in range(20_000)}}), '"' + "x" * 3_000_000,
     '{"files": {}, "tables": {"__class__": {}, "save": {}}, "summary": {}}'],
    ids=range(19),
)  # fmt: skip
def test_manifests_that_no_run_writes(folder, text):
    (folder / "manifest.json").write_text(text)
    said = answers(folder)
    assert None not in (said[0], said[2])


@pytest.mark.parametrize(
    "line",
    ["", "[" * 100_000, '{"a":' * 900 + "1" + "}" * 900, "\0" * 1000, "9" * 6000, '{"transactions": [{}]}', "[]",
     "null", '{"transactions": [' + '{"chain":' * 60 + "1" + "}" * 60 + "]}", "x" * 1_000_000, '"\\ud800"'],
    ids=range(11),
)  # fmt: skip
def test_lines_that_no_ledger_has(folder, line):
    lines = (folder / "ledger.jsonl").read_text().split("\n")
    for place in (0, 1, len(lines) - 1):
        (folder / "ledger.jsonl").write_text("\n".join([*lines[:place], line, *lines[place:]]) + "\n")
        for reader in (verify_run, Playback.load):
            with pytest.raises(FlnftError, match=r"ledger|damaged") as error:
                reader(folder)
            assert sentence(error.value)


# ---- anything --------------------------------------------------------------------------------------------------------

TOKENS = [b"[" * 2000, b"{", b"}", b'"', b",", b"\n", b"\0", b"NaN", b"null", b"-1", b"1e999", b"9" * 5000, b"\xff\xfe",
          b"../", b"True", b"inf", b'{"a":' * 80, b"\\ud800", b"", b"0", b"'", b"x" * 10_000]  # fmt: skip


def mangled(rng, content):
    """Bytes flipped, cut out, doubled, or put in between."""
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 5])):
        place = rng.randrange(len(content) + 1)
        end = min(len(content), place + rng.choice([0, 1, 1, 8, 200]))
        content[place:end] = rng.choice([rng.choice(TOKENS), rng.randbytes(end - place), bytes(content[place:end]) * 2])
    return bytes(content)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("tries", [25, pytest.param(3000, marks=pytest.mark.slow)])
def test_mangled_folders_get_a_sentence(sound, tmp_path, tries):
    rng, told = random.Random(tries), 0
    folder = shutil.copytree(sound, tmp_path / "run")
    names = ["manifest.json"] * 4 + ["ledger.jsonl"] * 3 + [path.name for path in sound.iterdir() if path.is_file()]
    readers = [reader for reader in READERS[:6] if reader is not RunResult.load]  # which `Playback.load` calls
    for _ in range(tries):
        name = rng.choice(names)
        original = (sound / name).read_bytes()
        changed = mangled(rng, original)
        (folder / name).write_bytes(changed)
        for reader in readers:
            try:
                reader(folder)
            except FlnftError as error:
                told += len(sentence(error)) > 0
        shutil.copy(sound / name, folder / name)
        if (folder / "manifest.json").read_bytes() != (sound / "manifest.json").read_bytes():
            shutil.copy(sound / "manifest.json", folder / "manifest.json")
    assert told > tries
