"""The page of ratios: one line a figure, nothing where nothing was measured, and a room's figures as it has them."""

from benchmarks import _roofline, ledger
from benchmarks._figure import Figure
from benchmarks.summary import _line
from flnft_sim.learning import build_model


def test_a_figure_without_a_peer_or_a_limit_says_nothing_of_it():
    line = _line(Figure(what="clearing", ratio=12.34, peer="a loop"))
    assert "12.3 ×  a loop" in line and "%" not in line
    assert _line(Figure(what="sealing", share=0.931, limit="PyNaCl")).endswith("93%  PyNaCl")


def test_a_room_measures_itself_beside_its_peer_and_its_limit(monkeypatch):
    """Slowed down on purpose, writing a block is a smaller share of its signature."""
    monkeypatch.setattr(ledger, "_instance_s", lambda _delays: (1.0, 5.0))
    monkeypatch.setattr(ledger, "_blocks", lambda: ledger.Blocks(write_s=4.0, read_s=2.0, sign_s=1.0, check_s=1.0))
    consensus, writing, reading = ledger.summary()
    assert (consensus.ratio, writing.share, reading.share) == (5.0, 0.25, 0.5)


def test_a_step_waits_for_whichever_of_arithmetic_and_memory_takes_longer():
    slow_memory = _roofline.Roofline(flops=8.0, moved=4.0, flops_per_s=8.0, moved_per_s=1.0)
    slow_arithmetic = _roofline.Roofline(flops=8.0, moved=4.0, flops_per_s=1.0, moved_per_s=4.0)
    assert (slow_memory.seconds, slow_memory.bound) == (4.0, "memory")
    assert (slow_arithmetic.seconds, slow_arithmetic.bound) == (8.0, "arithmetic")


def test_the_work_of_a_step_is_that_of_the_layers():
    """784 to 200 to 10: three products of each layer but the first one's, which has no input to pass errors on to."""
    flops, moved = _roofline.work_of_a_step(build_model("mlp", (1, 28, 28), 10), 64)
    assert flops == 64 * (2 * 2 * 784 * 200 + 3 * 2 * 200 * 10)
    parameters = 784 * 200 + 200 + 200 * 10 + 10
    assert moved == 4 * (5 * parameters + 64 * 784)
