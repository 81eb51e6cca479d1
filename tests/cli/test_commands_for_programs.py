"""What programs read: `--json`, exports, comparisons; and how loud the program is."""

import json
import os
import re
import subprocess
import sys

import networkx as nx
import numpy as np
import pytest

from flnft_sim import RunResult, load_scenario
from flnft_sim.cli import COMMANDS, main
from flnft_sim.cli.console import print_json
from flnft_sim.export import auction_diagram, latex_tables, market_graph, topology_graph
from flnft_sim.network import link_delays
from flnft_sim.streams import Streams

pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")  # hmmlearn 0.3.3

SURROGATE = ("--set", "learning.learner=surrogate", "--set", "game.history_auctions=12")


@pytest.fixture
def flnft(monkeypatch, capsys):
    """The program run inside this process: exit status, standard output, standard error."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["flnft", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        printed = capsys.readouterr()
        return left.value.code, printed.out, printed.err

    return call


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two settings with two seeds each, and their folders."""
    folder = tmp_path_factory.mktemp("runs")
    results = {}
    for sigma in (0.5, 0.6):
        for seed in (0, 1):
            name = folder / f"sigma{sigma}-s{seed}"
            fields = {"learning.learner": "surrogate", "game.history_auctions": 12, "game.sigma": sigma}
            from flnft_sim import run

            results[name] = run(load_scenario("tiny", overrides=fields, seed=seed))
            results[name].save(name, figures="none")
    return results


def test_a_run_as_json(flnft, tmp_path):
    status, printed, _ = flnft("run", "tiny", *SURROGATE, "--out", tmp_path / "r", "--no-figures", "--json")
    told = json.loads(printed)
    assert status == 0 and told["status"] == "finished" and told["folder"] == str(tmp_path / "r")
    assert told["summary"] == json.loads(json.dumps(RunResult.load(tmp_path / "r").summary))


def test_a_verification_as_json_holds_or_says_what_does_not(flnft, runs, tmp_path):
    folder = next(iter(runs))
    status, printed, _ = flnft("verify", folder, "--json")
    assert status == 0 and json.loads(printed)["holds"] is True and json.loads(printed)["bids"] == 3
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(folder), str(copy)], check=True)
    (copy / "bids.csv").write_text("")
    status, printed, said = flnft("verify", copy, "--json")
    assert status == 1 and json.loads(printed)["holds"] is False and "bids.csv" in json.loads(printed)["error"]
    assert "bids.csv" in said
    status, printed, said = flnft("verify", tmp_path / "nowhere", "--json")
    assert (status, printed) == (2, "") and "nowhere" in said


def test_an_audit_as_json_and_nothing_left_behind(flnft, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, printed, _ = flnft("audit", "mcafee", "pms-am-literal", "--markets", "60", "--json")
    kept, broken = json.loads(printed)
    assert status == 0 and kept["rule"] == "mcafee" and all(kept["holds"].values())
    assert not all(broken["holds"].values()) and broken["counterexamples"]
    assert flnft("audit", "pms-am-literal", "--markets", "60")[0] == 0
    assert not list(tmp_path.iterdir())
    assert flnft("audit", "mcafee", "--figure")[0] == 2
    assert flnft("audit", "pms-am-literal", "--markets", "60", "--out", "found")[0] == 0
    path = next((tmp_path / "found").iterdir())
    status, printed, _ = flnft("audit", "--replay", path, "--json")
    assert status == 0 and json.loads(printed)["violation"] > 0


def test_a_game_as_json(flnft):
    status, printed, _ = flnft("game", "tiny", *SURROGATE, "--json")
    told = json.loads(printed)
    assert status == 0 and len(told["valuations_money"]) == 3
    assert len(told["played"]["bids_money"]) == 3 and len(told["equilibrium"]["local_epochs"]) == 4
    assert max(told["equilibrium"]["provider_gains_money"]) < 0.01 and "oracle" in told["beliefs"]


def test_scenarios_as_json(flnft):
    status, printed, _ = flnft("scenarios", "--json")
    assert status == 0 and "roblox10" in {each["name"] for each in json.loads(printed)}
    assert json.loads(flnft("scenarios", "show", "tiny", "--json")[1]) == load_scenario("tiny").model_dump(mode="json")
    assert {row["field"] for row in json.loads(flnft("scenarios", "describe", "game", "--json")[1])} >= {"game.sigma"}


def test_json_has_no_number_that_is_none(capsys):
    print_json({"a": float("nan"), "b": [np.float64("inf"), np.int64(3)], "c": np.array([1.0, np.nan])})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [None, 3], "c": [1.0, None]}


def test_a_scenario_as_written_and_as_resolved(flnft, root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert flnft("scenarios", "show", "byzantine")[1] == (root / "scenarios/byzantine.yaml").read_text(encoding="utf-8")
    (tmp_path / "all.yaml").write_text(flnft("scenarios", "show", "byzantine", "--resolved")[1], encoding="utf-8")
    assert load_scenario("all.yaml") == load_scenario("byzantine")
    assert flnft("scenarios", "show", "byzantin")[0] == 2


@pytest.mark.parametrize("parent", ["roblox10", "byzantine", "market"])
def test_a_scenario_of_ones_own_begins_as_what_it_starts_from(flnft, tmp_path, monkeypatch, parent):
    monkeypatch.chdir(tmp_path)
    assert flnft("scenarios", "new", "mine", "--from", parent)[0] == 0
    same = {"name", "description", "imports"}
    theirs = load_scenario(parent).model_dump(exclude=same)
    assert load_scenario("mine.yaml").model_dump(exclude=same) == theirs
    text = (tmp_path / "mine.yaml").read_text(encoding="utf-8")
    fields = "".join(f"{line.removeprefix('# ')}\n" for line in text.splitlines()[4:])
    (tmp_path / "bare.yaml").write_text(fields, encoding="utf-8")  # every field said, nothing extended
    assert load_scenario("bare.yaml").model_dump(exclude=same) == theirs
    status, _, said = flnft("scenarios", "new", "mine", "--from", parent)
    assert status == 2 and "is there already" in said and (tmp_path / "mine.yaml").read_text(encoding="utf-8") == text
    for refused in (("../mine",), (parent, "--from", parent), ("new", "--from", "no-such")):
        assert flnft("scenarios", "new", *refused)[0] == 2


def test_runs_are_compared(flnft, runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, printed, _ = flnft("compare", *runs)
    assert status == 0 and "game.sigma" in printed and "accuracy" in printed
    assert not list(tmp_path.iterdir())
    status, printed, _ = flnft("compare", *runs, "--json", "--out", "seen.svg")
    told = json.loads(printed)
    assert status == 0 and [len(group) for group in told["groups"].values()] == [2, 2]
    assert {row["n"] for row in told["differences"] if row["metric"] == "accuracy"} == {2}
    assert "Accuracy by round" in (tmp_path / "seen.svg").read_text(encoding="utf-8")
    one = str(next(iter(runs)))
    for refused in ((one,), (one, one), (one, "nowhere"), (one, str(list(runs)[1]), "--out", "a.gif")):
        assert flnft("compare", *refused)[0] == 2


def test_graphs_tell_the_network_and_the_market(flnft, runs, tmp_path):
    folder, result = next(iter(runs.items()))
    assert flnft("export", folder, "--graphml")[0] == 2  # two files, and no place for them
    assert flnft("export", folder, "--graphml", "--out", tmp_path / "g")[0] == 0
    network = nx.read_graphml(tmp_path / "g/topology.graphml")
    assert {data["role"] for _, data in network.nodes(data=True)} == {"dao", "user", "base station"}
    market = nx.read_graphml(tmp_path / "g/market.graphml")
    bids = [data for *_, data in market.edges(data=True) if data["kind"] == "bid"]
    accepted = result.bids[result.bids["status"] == "accepted"]
    assert sorted(bid["total_money"] for bid in bids) == sorted(accepted["total_money"])
    sold = [data for *_, data in market.edges(data=True) if data["kind"] == "licence"]
    assert sum(each["price_money"] for each in sold) == pytest.approx(result.licences["price_money"].sum())
    assert nx.utils.graphs_equal(market_graph(result), market_graph(RunResult.load(folder)))


@pytest.mark.parametrize("topology", ["ring", "geometric", "small-world"])
def test_the_network_is_the_one_that_the_run_had(topology):
    """Its shortest paths are the delays that consensus was computed with."""
    from flnft_sim import run

    fields = {"learning.learner": "surrogate", "game.history_auctions": 0, "population.users": 8}
    scenario = load_scenario("tiny", overrides={**fields, "private_ledger.topology": topology}, seed=3)
    graph = topology_graph(run(scenario))
    links = graph.edge_subgraph([(a, b) for a, b, kind in graph.edges(data="kind") if kind == "replica"])
    delays_s = link_delays(8, topology=topology, rng=Streams(3).generator("consensus", 0))
    lengths = np.array(
        [
            [nx.shortest_path_length(links, f"user-{i}", f"user-{j}", weight="length") for j in range(8)]
            for i in range(8)
        ]
    )
    assert lengths / lengths.max() == pytest.approx(delays_s / delays_s.max())


def test_tables_for_latex_are_whole_and_carry_nothing_out(flnft, runs):
    folder, result = next(iter(runs.items()))
    status, text, _ = flnft("export", folder, "--latex")
    assert status == 0 and text == latex_tables(result)
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == text.count(r"\toprule") == 4
    for body in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, flags=re.DOTALL):
        rows = [line for line in body[1].splitlines() if line.endswith(r"\\")]
        assert {row.count(" & ") for row in rows} == {len(body[0]) - 1}
    result.manifest["name"] = r"\input{/etc/passwd} 100% $x_1$"
    hostile = latex_tables(result)
    assert r"\input{" not in hostile and r"100\%" in hostile and r"x\_1" in hostile


def test_an_auction_as_a_sequence_diagram(flnft, runs):
    folder, result = next(iter(runs.items()))
    status, text, _ = flnft("export", folder, "--mermaid")
    assert status == 0 and text == auction_diagram(result) and text.startswith("sequenceDiagram\n")
    assert text.count("sealed bid") == (result.bids["status"] != "no bid").sum()
    assert text.count(": pays ") == len(result.licences)
    assert flnft("export", folder, "--mermaid", "--auction", "none-such")[0] == 2
    assert flnft("export", folder)[0] == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_can_be_loud_or_quiet(flnft, command):
    status, printed, _ = flnft(command, "--help")
    assert status == 0 and "--verbose" in printed and "--quiet" in printed


def test_verbose_says_what_is_done_and_quiet_says_nothing(flnft, tmp_path):
    words = ("run", "tiny", *SURROGATE, "--no-figures", "--force", "--out", tmp_path / "r")
    _, printed, said = flnft(*words, "-v")
    assert "minting from 0.000 s" in said and "writing" in said and "minting from" not in printed
    assert flnft(*words, "-q") == (0, "", "")
    status, printed, said = flnft("run", "tinny", "-q")
    assert (status, printed) == (2, "") and "did you mean 'tiny'" in said


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_and_scenarios(shell, tmp_path):
    words = {"COMP_WORDS": "flnft run robl", "COMP_CWORD": "2", "_TYPER_COMPLETE_ARGS": "flnft run robl"}
    asked = {"_FLNFT_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args", **words}
    program = [sys.executable, "-c", "import sys; sys.argv = ['flnft']; from flnft_sim.cli import main; main()"]
    done = subprocess.run(
        program, env={**os.environ, **asked}, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "roblox10-mnist-cnn" in done.stdout, done.stderr


REFUSED = {
    "a field": ("run", "tiny", "--set", "game.sigma=7"),
    "a scenario": ("run", "tinny"),
    "a folder": ("run", "tiny", "--out", "/proc/nowhere"),
    "gas": ("run", "tiny", "--set", "public_chain.gas_limit=21000"),
    "data": ("run", "roblox10-mnist-mlp", "--data-dir", "nothing-here"),
    "a device": ("run", "tiny", "--set", "learning.device=cuda"),
}


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_a_refused_run_answers_before_anything_heavy_is_imported(words, tmp_path):
    """What takes a run its first second are these libraries; a refusal takes a third of one without them."""
    script = f"""
import sys
import flnft_sim.machine
from flnft_sim.cli import main
flnft_sim.machine.NVIDIA_DEVICES = ("/nowhere",)
sys.argv = ["flnft", *{words!r}]
try:
    main()
except SystemExit as left:
    print(left.code, *sorted({{"torch", "mesa", "pandas", "matplotlib", "numba"}} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "2\n", done.stdout + done.stderr
    assert not list(tmp_path.iterdir())


def test_a_surrogate_run_needs_neither_device_nor_data(tmp_path, flnft):
    small = (
        "--set",
        "learning.rounds=1",
        "--set",
        "learning.device=cuda",
        "--data-dir",
        "nothing-here",
        "--no-figures",
    )
    assert flnft("run", "roblox10-mnist-mlp", *SURROGATE, *small, "-q", "--out", tmp_path / "r")[0] == 0
