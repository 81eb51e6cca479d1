"""`flnft verify`: a run that holds passes, and whatever is altered in it is found and named."""

import json
import shutil

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
from flnft_sim.results import RunResult, weights_bytes
from flnft_sim.results.verify import verify_run

AUCTIONEER, WINNER, LOSER, DAO = (KeyPair.from_seed(bytes([each]) * 32) for each in range(4))
NAMES = {"contract": AUCTIONEER, "provider-0": WINNER, "provider-1": LOSER, "dao-0": DAO}
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


def finished_run():
    accounts, weights = money(), {"w": np.arange(6, dtype=np.float32)}
    document = fl_nft_document(
        model_hash=model_hash(weights_bytes(weights)),
        parameter_uri="model.safetensors",
        minted_at_s=40.5,
        dao_public_key=DAO.public_key.hex(),
        shares={WINNER.address: 1.0},
    )
    public = Chain("public", genesis={"balances": dict(accounts.opening_balances)})
    private = Chain("dao-0")
    private.append([private.sign(DAO, "update", {"round": 1, "loss": 0.1})], time_s=3.25, producer="replica-0")
    clearing = {
        "auction": "a-0",
        "bids": {WINNER.address: 300_000_000, LOSER.address: 10_000_000},
        "winners": [WINNER.address],
    }
    for kind, key, payload in [
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
            "status": "finished",
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
    assert (report.blocks, report.transactions, report.chains) == (6, 4, ("public", "dao-0"))
    assert (report.accounts, report.bids, report.nfts, report.nfts_not_kept) == (4, 2, 1, 0)


def test_the_command_says_so_and_names_what_does_not_hold(run):
    app = typer.Typer()
    app.command()(verify_command)
    done = CliRunner().invoke(app, [str(run)])
    assert done.exit_code == 0
    assert "6 in public, dao-0" in done.stdout
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
    (run / "ledger.jsonl").write_text("".join(lines[:-1]))
    with pytest.raises(VerificationError, match="'dao-0' does not end in the block"):
        verify_run(run)
    (run / "ledger.jsonl").write_text("".join(lines[:-2]))
    with pytest.raises(VerificationError, match=r"'dao-0' of manifest\.json is not there"):
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


def test_a_stopped_run_is_checked_as_far_as_it_came(tmp_path):
    result = finished_run()
    result.manifest["status"] = "interrupted"
    result.nft.clear()
    result.save(tmp_path / "run", figures=False)
    report = verify_run(tmp_path / "run")
    assert (report.accounts, report.bids, report.nfts, report.nfts_not_kept) == (0, 0, 0, 1)


def test_what_is_no_run_folder_is_bad_input(tmp_path):
    with pytest.raises(InputError, match="is no run folder"):
        verify_run(tmp_path)
