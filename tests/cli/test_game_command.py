"""`flnft game` on the smallest scenario: its tables, its figure, its complaints."""

import pytest

from flnft_sim.cli.game import game_command
from flnft_sim.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")  # hmmlearn 0.3.3


def test_it_prints_the_tables_and_leaves_the_figure(tmp_path, capsys):
    status = game_command("tiny", settings=["learning.learner=surrogate"], seed=None, dao=0, folder=tmp_path)
    printed = capsys.readouterr().out
    assert status == 0
    for expected in ("at the equilibrium", "could", "epochs k*", "hmm-mode", "oracle", "log-loss"):
        assert expected in printed
    assert (tmp_path / "tiny-best-responses.png").read_bytes().startswith(b"\x89PNG")
    totals = next(line for line in printed.splitlines() if line.strip().startswith("all "))
    assert totals.split()[-2] == "0.00"  # nobody gains at the equilibrium, quality and freshness being what they are
    assert float(totals.split()[-1]) > 0  # a leader that lets users answer first does


def test_a_dao_that_is_not_there():
    with pytest.raises(InputError, match="--dao 7"):
        game_command("tiny", settings=None, seed=None, dao=7)


def test_without_out_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert game_command("tiny", settings=["learning.learner=surrogate"], seed=None, dao=0) == 0
    assert not list(tmp_path.iterdir())
