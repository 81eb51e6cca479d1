"""A whole run on a node is the run in process: its blocks to the byte, its tables; and what a node lacks is told."""

import json
import subprocess
import sys

import pytest
from nodes import limited, passed_on, served, started
from pandas.testing import assert_frame_equal

from flnft_sim import load_scenario, run
from flnft_sim.chain.errors import NodeError
from flnft_sim.errors import InputError
from flnft_sim.ledger import VerificationError, read_ledger
from flnft_sim.results.verify import verify_run

QUICK = {"learning.learner": "surrogate", "game.history_auctions": 12}
FORTY = {
    "population.providers": 40,
    "game.history_auctions": 0,
    "game.demand.factors": [1.0],
    "game.demand.noise": 0.005,
    "market.reserve_money": 15.0,
}
ROUGH = {"public_chain.propagation_s": 6.0, "public_chain.gas_price_gwei": 20.0, "public_chain.load_tx_per_s": 8.0}
WORDS = "test test test test test test test test test test test junk"  # of every development node's own accounts


FLNFT = [sys.executable, "-c", "from flnft_sim.cli import main; main()"]


def flnft(*words):
    return subprocess.run([*FLNFT, *words], capture_output=True, text=True, timeout=60, check=False)


def on(backend, name="tiny", **fields):
    return load_scenario(name, overrides=QUICK | fields | {"public_chain.backend": backend})


def blocks(result):
    """What was executed, block by block, without the state's root, in which a node has accounts of its own."""
    public = read_ledger("".join(f"{line}\n" for line in result.ledger_lines))["public"].blocks
    return [
        {name: value for name, value in block.execution.items() if name != "state_root"}
        for block in public
        if block.execution
    ]


@pytest.mark.node
@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("tiny", {"market.resale_share": 1.0}),
        ("tiny", FORTY),
        pytest.param("tiny", FORTY | {"market.reserve_money": 10.0}, marks=pytest.mark.slow),
        pytest.param("byzantine", {"learning.rounds": 1, "market.resale_share": 1.0} | ROUGH, marks=pytest.mark.slow),
    ],
    ids=["tiny", "40 bids", "40 winners after five windows", "byzantine"],
)
def test_a_run_on_a_node_is_the_run_in_process(node, tmp_path, name, fields):
    here, there = (run(on(backend, name, **fields, **{"public_chain.node": node})) for backend in ("evm", "rpc"))
    assert blocks(there) == blocks(here)  # raw bytes, gas, status, receipts, logs, times
    for table, rows in here.tables.items():
        assert_frame_equal(there.tables[table], rows, check_exact=True)
    if "population.providers" in fields:
        assert here.auctions["bidders"].tolist() == [40] and here.auctions["winners"].sum() > 0
    there.save(tmp_path / "run", figures=False)
    assert verify_run(tmp_path / "run").messages == sum(len(block["raw"]) for block in blocks(there)) + 2 + len(
        there.manifest["contracts"]["addresses"]["MuDao"]
    )


@pytest.mark.node
def test_the_manifest_says_where_contracts_are_and_verification_holds_a_nodes_gas(node, tmp_path):
    result = run(on("rpc", **{"public_chain.node": node}))
    told = result.manifest["contracts"]
    assert {name: told[name] for name in ("backend", "node", "clock", "chain_id", "fork")} == {
        "backend": "rpc", "node": node, "clock": "run", "chain_id": 1337, "fork": "prague",
    }  # fmt: skip
    for address in (
        told["addresses"]["FlNft"],
        told["addresses"]["SealedAuction"],
        told["addresses"]["MuDao"]["dao-0"],
    ):
        code = passed_on(node, {"jsonrpc": "2.0", "id": 1, "method": "eth_getCode", "params": [address, "latest"]})
        assert len(code["result"]) > 1000
    result.save(tmp_path / "run", figures=False)
    folder = tmp_path / "run"
    ledger = (folder / "ledger.jsonl").read_text()
    lines = ledger.splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if '"execution":{' in line and '"kind":"bid"' in line)
    block = json.loads(lines[place])
    block["execution"]["gas"][0] += 1
    lines[place] = json.dumps(block, separators=(",", ":"), sort_keys=True) + "\n"
    (folder / "ledger.jsonl").write_text("".join(lines))
    with pytest.raises(VerificationError):
        verify_run(folder)


@pytest.mark.node
def test_a_node_that_was_used_is_no_beginning(node):
    fields = {"public_chain.node": node}
    run(on("rpc", **fields))
    with pytest.raises(NodeError, match=r"holds .* blocks already, and a run begins with the first; stop it and start"):
        run(on("rpc", **fields))


@pytest.mark.node
def test_a_node_of_other_rules_another_chain_or_a_later_time_is_told(root, node):
    with started(root, hardfork="cancun") as other:
        with pytest.raises(
            NodeError, match="executes by the rules of cancun, the run by those of prague; start it with"
        ):
            run(on("rpc", **{"public_chain.node": other}))
        run(on("rpc", **{"public_chain.node": other, "public_chain.fork": "cancun"}))
    with (
        started(root, timestamp="1800000000") as other,
        pytest.raises(NodeError, match="begins at the block time"),
    ):
        run(on("rpc", **{"public_chain.node": other}))
    with pytest.raises(NodeError, match="is on chain 1337, the run on chain 5; name another node, or set"):
        run(on("rpc", **{"public_chain.node": node, "public_chain.chain_id": 5}))
    with pytest.raises(NodeError, match="has a password in it"):
        run(on("rpc", **{"public_chain.node": "http://me:secret@127.0.0.1"}))


@pytest.mark.node
def test_where_a_node_gives_no_money_it_comes_from_the_account_in_the_environment(node, tmp_path, monkeypatch):
    with limited(node, lambda method: method.endswith("setBalance")) as poor:
        fields = {"public_chain.node": poor, "market.auctioneer_money": 1000.0}  # the account has 10 000 ether
        monkeypatch.delenv("FLNFT_MNEMONIC", raising=False)
        with pytest.raises(InputError, match="no key to sign with: set the environment variable FLNFT_MNEMONIC"):
            run(on("rpc", **fields))
        monkeypatch.setenv(
            "FLNFT_MNEMONIC", "legal winner thank year wave sausage worth useful legal winner thank yellow"
        )
        with pytest.raises(
            NodeError, match=r"the first account of FLNFT_MNEMONIC, 0x.* holds 0 wei .* give it more money"
        ):
            run(on("rpc", **fields))
        monkeypatch.setenv("FLNFT_MNEMONIC", WORDS)
        result = run(on("rpc", **fields))
    assert result.licences.shape[0] > 0
    result.save(tmp_path / "run", figures=False)
    assert verify_run(tmp_path / "run").messages > 0
    assert not any(WORDS.encode() in path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())


@pytest.mark.node
def test_a_node_that_goes_away_ends_the_run_with_a_sentence(node, tmp_path):
    asked = []

    def answers(question):
        asked.append(question)
        return {"error": {"message": "out of order"}} if len(asked) > 300 else passed_on(node, question)

    with served(answers) as failing:
        fields = QUICK | {"public_chain.backend": "rpc", "public_chain.node": failing}
        told = [f"--set={name}={value}" for name, value in fields.items()]
        done = flnft("run", "tiny", f"--out={tmp_path / 'run'}", "--no-figures", *told)
    assert len(asked) > 300 and done.returncode == 1
    assert f"the node at {failing} refuses" in done.stderr and "Traceback" not in done.stderr
    assert verify_run(tmp_path / "run").status == "failed"


def test_a_node_that_is_not_there_is_told_before_anything_is_trained(tmp_path):
    told = ["--set=public_chain.backend=rpc", "--set=public_chain.node=http://127.0.0.1:1"]
    done = flnft("run", "tiny", f"--out={tmp_path / 'run'}", *told)
    assert done.returncode == 2 and done.stderr.count("\n") <= 2
    assert "no node answers at http://127.0.0.1:1" in done.stderr
    assert not (tmp_path / "run" / "manifest.json").exists()
