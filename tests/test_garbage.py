"""Nothing is searched for garbage while a run is set up; from then on what comes is, and what was there is not."""

import gc

import pytest

from flnft_sim.cli import garbage


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch):
    monkeypatch.setattr(garbage.atexit, "register", lambda _function: None)
    yield
    gc.unfreeze()
    assert gc.isenabled()


def test_the_start_is_not_searched_and_what_comes_is():
    with garbage.unsearched_start():
        assert not gc.isenabled()
        there_before = gc.get_freeze_count()
        garbage.search_what_comes()
        assert gc.isenabled() and gc.get_freeze_count() > there_before


def test_a_start_that_fails_leaves_the_search_on():
    with pytest.raises(ZeroDivisionError), garbage.unsearched_start():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_how_often_is_searched_is_as_it_was_when_the_run_is_over():
    often = gc.get_threshold()
    with garbage.unsearched_start():
        garbage.search_what_comes()
        assert gc.get_threshold()[0] > often[0]
    assert gc.get_threshold() == often
