"""`flnft verify`: a run that holds passes, and whatever is altered in it is found and named."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from flnft_sim.cli.verify import verify_command
from flnft_sim.errors import InputError
from flnft_sim.ledger import (
    Accounts,
    Chain,
    KeyPair,
    VerificationError,
    fl_nft_document,
    from_units,
    mint_payload,
    model_hash,
)
from flnft_sim.market import seal_of_draw
from flnft_sim.results import RunResult, weights_bytes
from flnft_sim.results.closing import contract_key, digest_of, signed
from flnft_sim.results.folder import add_files, manifest_text
from flnft_sim.results.verify import verify_run

SEED, SCENARIO = 7, {"name": "auction", "rounds": 1}
AUCTIONEER = contract_key({"seed": SEED})
WINNER, LOSER, DAO = (KeyPair.from_seed(bytes([each]) * 32) for each in range(1, 4))
NAMES = {"contract": AUCTIONEER, "provider-0": WINNER, "provider-1": LOSER, "dao-0": DAO}
DRAW = bytes(range(32))
BID_COLUMNS = "auction provider total_money status reason won payment_money provider_utility valuation_money"


def money():
    """An auction among two providers: the winner pays 228.697101 to the DAO, the rest of the escrows goes back."""
    accounts = Accounts()
    for key in NAMES.values():
        accounts.open(key.address, 1_000_000_000 if key in (WINNER, LOSER) else 0)
    for key in (WINNER, LOSER):
        accounts.escrow(key.address, "a-0", 900_000_000)
    accounts.pay_from_escrow(WINNER.address, "a-0", AUCTIONEER.address, 228_697_101, "licence")
    accounts.transfer(AUCTIONEER.address, DAO.address, 228_697_101, "sold")
    for key in (WINNER, LOSER):
        accounts.refund(key.address, "a-0")
    return accounts


def finished_run(draw=DRAW):
    accounts, weights = money(), {"w": np.arange(6, dtype=np.float32)}
    document = fl_nft_document(
        model_hash=model_hash(weights_bytes(weights)),
        parameter_uri="model.safetensors",
        minted_at_s=40.5,
        dao_public_key=DAO.public_key.hex(),
        shares={WINNER.address: 1.0},
    )
    genesis = {"balances": dict(accounts.opening_balances), "scenario": digest_of(SCENARIO), "code": "1"}
    public = Chain("public", genesis=genesis)
    private = Chain("dao-0")
    private.append([private.sign(DAO, "update", {"round": 1, "loss": 0.1})], time_s=3.25, producer="replica-0")
    clearing = {
        "auction": "a-0",
        "bids": {WINNER.address: 300_000_000, LOSER.address: 10_000_000},
        "winners": [WINNER.address],
        "draw": draw.hex(),
    }
    for kind, key, payload in [
        ("announce", AUCTIONEER, {"auction": "a-0", "draw_seal": seal_of_draw(DRAW).hex()}),
        ("mint", DAO, mint_payload(document, dao="dao-0")),
        ("clearing", AUCTIONEER, clearing),
        ("settle", AUCTIONEER, {"auction": "a-0", "entries": [dict(each) for each in accounts.entries]}),
    ]:
        public.append([public.sign(key, kind, payload)], time_s=public.tip.time_s + 20, producer="miner-1")
    return RunResult(
        accounts=pd.DataFrame(
            {"address": key.address, "name": name, "role": "x", "balance_money_units": accounts.balance(key.address)}
            | {"balance_money": from_units(accounts.balance(key.address))}
            for name, key in NAMES.items()
        ),
        bids=pd.DataFrame(
            [
                ("a-0", "provider-0", 300.0, "accepted", "", True, 228.697101, 0.0, 400.0),
                ("a-0", "provider-1", 10.0, "accepted", "", False, 0.0, 0.0, 20.0),
                ("a-0", "stranger", 9.0, "rejected", "unknown bidder", False, 0.0, 0.0, 0.0),
            ],
            columns=BID_COLUMNS.split(),
        ),
        manifest={
            "seed": SEED,
            "status": "finished",
            "scenario": SCENARIO,
            "code_version": "1",
            "wall_time_s": 1.5,
            "unsettled": [],
            "ledger_tips": {chain.name: chain.tip.hash for chain in (public, private)},
        },
        ledger_lines=(public.to_jsonl() + private.to_jsonl()).splitlines(),
        nft={"fl-nft.js": document},
        weights={"model.safetensors": weights},
    )


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "sound"
    finished_run().save(folder, figures=False)
    return folder


@pytest.fixture
def run(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "run")


def alter(run, name, old, new, *, mend_manifest):
    """Replace the first `old` in a file, and its hash in the manifest, as a careful forger would."""
    path = run / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    if mend_manifest:
        manifest = json.loads((run / "manifest.json").read_text())
        manifest["files"][name] = model_hash(path.read_bytes())
        (run / "manifest.json").write_text(json.dumps(manifest))


def test_a_sound_run_holds(sound):
    report = verify_run(sound)
    assert (report.blocks, report.transactions, report.chains) == (8, 6, ("public", "dao-0"))
    assert (report.accounts, report.bids, report.nfts, report.nfts_not_kept) == (4, 2, 1, 0)


def test_a_draw_that_was_not_announced_is_found(tmp_path):
    finished_run(draw=DRAW[::-1]).save(tmp_path / "run", figures=False)
    with pytest.raises(VerificationError, match="the draw of auction 'a-0' is not the one announced"):
        verify_run(tmp_path / "run")


def test_the_command_says_so_and_names_what_does_not_hold(run):
    app = typer.Typer()
    app.command()(verify_command)
    done = CliRunner().invoke(app, [str(run)])
    assert done.exit_code == 0
    assert "8 in public, dao-0" in done.stdout
    alter(run, "fl-nft.js", "40.5", "40.6", mend_manifest=False)
    failed = CliRunner().invoke(app, [str(run)])
    assert isinstance(failed.exception, VerificationError)
    assert "fl-nft.js" in str(failed.exception)


VOUCHED_FOR = ["ledger.jsonl", "accounts.csv", "fl-nft.js", "model.safetensors", "bids.csv", "summary.txt"]


@given(st.data())
@settings(max_examples=300)
def test_any_altered_byte_is_found_and_its_file_named(sound, data):
    name = data.draw(st.sampled_from(VOUCHED_FOR))
    path, original = sound / name, (sound / name).read_bytes()
    place, flip = data.draw(st.integers(0, len(original) - 1)), data.draw(st.integers(1, 255))
    altered = bytearray(original)
    altered[place] ^= flip
    path.write_bytes(altered)
    try:
        with pytest.raises(VerificationError) as error:
            verify_run(sound)
    finally:
        path.write_bytes(original)
    assert name in str(error.value)


@given(st.data())
@settings(max_examples=100)
def test_a_forged_ledger_or_nft_is_found_even_with_its_hash_mended(sound, data):
    """Hash links, signatures and the minted hash stand on their own; so do balances, see below."""
    name = data.draw(st.sampled_from(["ledger.jsonl", "fl-nft.js", "model.safetensors"]))
    original, manifest = (sound / name).read_bytes(), (sound / "manifest.json").read_bytes()
    altered = bytearray(original)
    altered[data.draw(st.integers(0, len(original) - 1))] ^= data.draw(st.integers(1, 255))
    mended = json.loads(manifest)
    mended["files"][name] = model_hash(bytes(altered))
    (sound / name).write_bytes(altered)
    (sound / "manifest.json").write_text(json.dumps(mended))
    try:
        with pytest.raises(VerificationError, match=name):
            verify_run(sound)
    finally:
        (sound / name).write_bytes(original)
        (sound / "manifest.json").write_bytes(manifest)


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("accounts.csv", "771302899", "771302900", "line 3"),
        ("accounts.csv", WINNER.address, "0" * 40, "line 3"),
        ("accounts.csv", "balance_money_units", "balance", "lacks its form"),
        ("accounts.csv", "771302899", "much", "no whole number"),
        ("bids.csv", "300.0", "299.0", "the bid of provider-0"),
        ("bids.csv", "228.697101", "228.69", "the payment of provider-0"),
        ("bids.csv", "True", "False", "the win of provider-0"),
        ("bids.csv", "provider-1", "provider-9", "the bid of provider-9"),
        ("bids.csv", ",accepted,", ",rejected,", "which the ledger has, is not there"),
    ],
)
def test_tables_are_held_against_the_ledger(run, name, old, new, says):
    alter(run, name, old, new, mend_manifest=True)
    with pytest.raises(VerificationError) as error:
        verify_run(run)
    assert says in str(error.value)
    assert name in str(error.value) or "lacks" in says


@pytest.mark.parametrize("name", VOUCHED_FOR)
def test_missing_files_are_named(run, name):
    (run / name).unlink()
    with pytest.raises(VerificationError, match=name):
        verify_run(run)


def test_a_ledger_cut_at_a_block_is_found(run):
    lines = (run / "ledger.jsonl").read_text().splitlines(True)
    cut = {
        -1: "'dao-0' does not end in the block",
        -2: r"'dao-0' of manifest\.json is not there",
        -3: "the last public block does not close the run",
    }
    for end, sentence in cut.items():
        (run / "ledger.jsonl").write_text("".join(lines[:end]))
        with pytest.raises(VerificationError, match=sentence):
            verify_run(run)


def test_an_overdrawn_settlement_is_found(tmp_path):
    result = finished_run()
    thief = Chain("heist", genesis={})
    entry = {"src": WINNER.address, "dst": LOSER.address, "units": 10**12, "memo": ""}
    thief.append([thief.sign(LOSER, "settle", {"auction": "a-0", "entries": [entry]})], time_s=1.0, producer="x")
    result.ledger_lines.extend(thief.to_jsonl().splitlines())
    result.save(tmp_path / "run", figures=False)
    with pytest.raises(VerificationError, match="knows of no chain 'heist'"):
        verify_run(tmp_path / "run")
    result.manifest["ledger_tips"]["heist"] = thief.tip.hash
    result.save(tmp_path / "run", figures=False, force=True)
    with pytest.raises(VerificationError, match="moves 1000000000000 units"):
        verify_run(tmp_path / "run")


def test_a_stopped_run_is_checked_as_far_as_it_came_and_settled(tmp_path):
    result = finished_run()
    entries = [{"src": LOSER.address, "dst": f"escrow/a-1/{LOSER.address}", "units": 400_000_000, "memo": "escrow"}]
    escrow = pd.DataFrame({"address": [entries[0]["dst"]], "name": "a-1", "role": "escrow"})
    accounts = pd.concat([result.accounts, escrow.assign(balance_money_units=400_000_000, balance_money=400.0)])
    accounts.loc[accounts["name"] == "provider-1", ["balance_money_units", "balance_money"]] = [600_000_000, 600.0]
    stopped = replace(result, accounts=accounts, manifest=result.manifest | {"status": "interrupted"}, nft={})
    stopped.save(tmp_path / "invented", figures=False)
    with pytest.raises(VerificationError, match=r"accounts\.csv line 4: .* does not hold 600000000 units"):
        verify_run(tmp_path / "invented")
    stopped.manifest["unsettled"] = entries
    stopped.save(tmp_path / "run", figures=False)
    report = verify_run(tmp_path / "run")
    assert (report.accounts, report.unsettled, report.bids, report.nfts, report.nfts_not_kept) == (5, 1, 2, 0, 1)


def test_bids_of_a_stopped_run_may_be_less_than_the_ledgers_and_not_other(tmp_path):
    result = finished_run()
    manifest = result.manifest | {"status": "failed", "error": "the moon fell down"}
    replace(result, bids=result.bids[:0], manifest=manifest).save(tmp_path / "fewer", figures=False)
    assert verify_run(tmp_path / "fewer").bids == 0
    other = replace(result, bids=result.bids.assign(total_money=1.0), manifest=manifest)
    other.save(tmp_path / "other", figures=False)
    with pytest.raises(VerificationError, match="the bid of provider-0"):
        verify_run(tmp_path / "other")


@pytest.mark.parametrize("with_signature", [False, True])
def test_what_is_made_up_after_the_run_is_found(sound, tmp_path, with_signature):
    """By one who mends every SHA-256, and by one who also signs anew with the key that follows from the seed."""

    def strike_nft(run, manifest):
        for name in ("fl-nft.js", "model.safetensors"):
            (run / name).unlink()
            del manifest["files"][name]
        return "fl-nft.js"

    def add_a_file(run, manifest):
        (run / "more.csv").write_text("a\n1\n")
        manifest["files"]["more.csv"] = model_hash(b"a\n1\n")
        return "more.csv"

    def other_seed(_run, manifest):
        manifest["seed"] += 1
        return "not closed by the contract"

    def say(key, value):
        def change(_run, manifest):
            manifest[key] = value
            return key

        return change

    for number, made_up in enumerate(
        [
            strike_nft,
            add_a_file,
            other_seed,
            say("status", "interrupted"),
            say("summary", {"accuracy": 0.99}),
            say("scenario", SCENARIO | {"rounds": 2}),
            say("code_version", "2"),
            say("error", "none"),
            say("tables", {}),
        ]
    ):
        run = shutil.copytree(sound, tmp_path / str(number))
        manifest = json.loads((run / "manifest.json").read_text())
        named = made_up(run, manifest)
        text = manifest_text(signed(manifest) if with_signature else manifest)
        (run / "manifest.json").write_text(text)
        with pytest.raises(VerificationError, match=named):
            verify_run(run)


@pytest.mark.parametrize("change", [('"wall_time_s": 1.5', '"wall_time_s": 1.25'), ('": 1.5', '":  1.5'), ("}\n", "}")])
def test_what_no_block_can_tell_is_signed_and_written_in_one_way(run, change):
    text = (run / "manifest.json").read_text()
    (run / "manifest.json").write_text(change[1].join(text.rsplit(change[0], 1)))
    with pytest.raises(VerificationError, match=r"manifest\.json was altered"):
        verify_run(run)


def test_figures_drawn_later_are_signed_too(run):
    RunResult.load(run).save_figures(run)
    figures = verify_run(run).files - 17
    assert figures >= 0
    add_files(run, [("figures/extra.png", b"1")])
    assert verify_run(run).files == 18 + figures
    (run / "figures/extra.png").write_bytes(b"2")
    with pytest.raises(VerificationError, match=r"figures/extra\.png"):
        verify_run(run)
    add_files(run, [("figures/extra.png", b"1"), ("notes.txt", b"")])
    with pytest.raises(VerificationError, match=r"notes\.txt is no file that the run closed with"):
        verify_run(run)


def test_nothing_is_added_to_a_manifest_that_was_changed(run):
    alter(run, "manifest.json", '"finished"', '"failed"', mend_manifest=False)
    with pytest.raises(InputError, match="was changed since the run signed it"):
        add_files(run, [("figures/extra.png", b"1")])


def test_a_run_of_an_earlier_version_is_not_said_to_hold(tmp_path):
    result = finished_run()
    del result.manifest["seed"]
    result.save(tmp_path / "run", figures=False)
    with pytest.raises(VerificationError, match="does not close the run; it was cut, or an earlier version made it"):
        verify_run(tmp_path / "run")


def test_what_is_no_run_folder_is_bad_input(tmp_path):
    with pytest.raises(InputError, match="is no run folder"):
        verify_run(tmp_path)
