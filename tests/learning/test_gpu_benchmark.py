"""The prepared measurement of a GPU, tried where there is none; and the stacked engine's options."""

import json

import numpy as np
import pytest
import torch

from benchmarks import __main__ as benchmarks
from benchmarks import gpu
from flnft_sim.learning import TrainingError, build_model
from flnft_sim.learning.engines import torch_stacked
from flnft_sim.learning.engines.base import Descent
from flnft_sim.learning.engines.torch_stacked import TorchStacked

TINY = gpu.Extent(users=(2,), samples=20, epochs=1, side=32, turns=1)
CARDLESS = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@CARDLESS
def test_without_a_card_one_sentence_says_so_and_nothing_is_written(tmp_path, capsys):
    assert benchmarks.main(["gpu", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().out
    assert said.count(gpu.NO_CARD) == 1 and "--device cpu" in said and not list(tmp_path.iterdir())


def test_a_trial_on_a_cpu_agrees_with_the_cpu_engine_and_says_that_no_card_was_seen(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gpu, "TRIAL", TINY)
    monkeypatch.setattr(gpu, "WORKLOADS", gpu.WORKLOADS[:1])
    page = tmp_path / "page.md"
    page.write_text(f"before\n{gpu.BEGIN}\nold\n{gpu.END}\nafter\n")
    assert gpu.main(["--device", "cpu", "--out", str(tmp_path), "--page", str(page)]) == 0
    report = json.loads((tmp_path / "gpu.json").read_text())
    assert report["card"] is None and gpu.NO_CARD in report["note"] and not report["matmul_flops"]
    assert report["rows"] and all(row["equal"] and "samples_per_s" not in row for row in report["rows"])
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert gpu.NO_CARD in text.lower() and "samples/s" not in text
    capsys.readouterr()


def test_the_comparison_tells_another_training_apart():
    start = np.zeros(3)
    assert gpu.distance(np.ones((1, 3)), np.ones((1, 3)), start) == 0.0
    assert gpu.distance(np.ones((1, 3)) * 1.5, np.ones((1, 3)), start) > max(gpu.TOLERANCES.values())


def test_what_time_does_not_allow_is_named(monkeypatch, capsys):
    monkeypatch.setattr(gpu, "WORKLOADS", gpu.WORKLOADS[:1])
    peaks = {"float32": 1e9}
    rows = list(gpu._cell("cpu", gpu.WORKLOADS[0], 2, TINY, peaks, lambda: True))
    assert [row["failed"] for row in rows] == ["left out, time was over"]
    report = {"card": "a card", "note": "measured on a card", "torch": "2", "matmul_flops": peaks, "rows": rows}
    assert "time was over" in gpu.table(report)
    capsys.readouterr()


def test_what_could_not_be_written_is_said_before_the_minutes_of_measuring(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("no marks")
    for words in (["--out", str(tmp_path / "none")], ["--out", str(tmp_path), "--page", str(page)]):
        assert gpu.main(["--device", "cpu", *words]) == 2
        said = capsys.readouterr().out
        assert said.count("\n") == 1 and words[-1] in said


def test_a_card_that_cannot_multiply_gets_a_sentence(tmp_path, monkeypatch, capsys):
    def refuse(*_arguments):
        raise RuntimeError("CUDA error: no kernel image\nmore")

    monkeypatch.setattr(gpu, "matmul_flops", refuse)
    assert gpu.main(["--device", "cpu", "--out", str(tmp_path)]) == 2
    assert "no kernel image" in capsys.readouterr().out and not list(tmp_path.iterdir())


def test_a_card_that_answers_no_more_loses_nothing_measured_before(monkeypatch, capsys):
    def refuse(*_arguments):
        raise RuntimeError("CUDA error: unspecified launch failure\nmore")

    monkeypatch.setattr(gpu, "WORKLOADS", gpu.WORKLOADS[:1])
    monkeypatch.setattr(gpu, "_plain_per_s", refuse)
    report = gpu.measure("cpu", TINY)
    assert [row.get("precision") for row in report["rows"]] == ["all"]
    row = {"workload": "MLP", "users": 2, "precision": "all", "graphs": False, "failed": "CUDA error"}
    assert "CUDA error" in gpu.table(report | {"rows": [row]})
    capsys.readouterr()


def test_the_page_of_results_holds_the_table_of_the_figures_kept():
    report = json.loads((gpu.DOCS / "results" / "gpu.json").read_text())
    assert gpu.table(report) in (gpu.DOCS / "results.md").read_text()


def test_an_option_that_no_benchmark_has_is_refused(capsys):
    assert benchmarks.main(["game", "--device", "cpu"]) == 2
    assert "--device" in capsys.readouterr().err


def trained(engine, users=3):
    rng = np.random.default_rng(0)
    model = build_model("mlp", (1, 8, 8), 4)
    shards = [(rng.standard_normal((30, 1, 8, 8), np.float32), rng.integers(0, 4, 30)) for _ in range(users)]
    descent = Descent(np.ones(users, np.int64), batch_size=8, lr=0.05, momentum=0.5, seed=1)
    start = model.initial(0)
    starts = np.broadcast_to(start, (users, len(start)))
    return start, engine.train(model, starts, shards, descent, users=np.arange(users)).params


def test_half_precision_is_near_and_leaves_the_settings_as_they_were():
    start, exact = trained(TorchStacked("cpu"))
    half = trained(TorchStacked("cpu", precision="bfloat16"))[1]
    assert 1e-4 < gpu.distance(half, exact, start) < 0.2
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    with torch_stacked.computing_in("tf32", "cpu"):
        assert torch.get_float32_matmul_precision() == "high"
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32) == before


def test_graphs_need_a_card():
    with pytest.raises(TrainingError, match="cuda"):
        TorchStacked("cpu", graphs=True)


def test_a_captured_step_takes_the_place_of_full_steps_alone(monkeypatch):
    """A stand-in for CUDA's graph, which runs the step that it was captured from."""

    class Replayed:
        def __init__(self, group, users):
            self.group, self.users = group, users

        def replay(self):
            replays.append(self.users)
            self.group.advance(self.users, [])

    replays = []
    monkeypatch.setattr(torch_stacked, "_captured", Replayed)
    _, eager = trained(TorchStacked("cpu"))
    engine = TorchStacked("cpu")
    engine.graphs = True
    np.testing.assert_array_equal(trained(engine)[1], eager)
    assert replays == [3] * 4
