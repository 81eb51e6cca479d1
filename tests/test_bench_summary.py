"""The page of ratios: one line a figure, nothing where nothing was measured, and a room's figures as it has them."""

from benchmarks import ledger
from benchmarks._figure import Figure
from benchmarks.summary import _line


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
