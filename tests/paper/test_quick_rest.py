"""The other half of `flnft paper --quick`, in one process: against its golden tables, with a verdict on everything."""

import pytest
from quick_paper import OTHERS, assert_golden, assert_statements, made_in


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return made_in(tmp_path_factory.mktemp("paper"), *OTHERS, "--serial")[0]


@pytest.mark.timeout(480)
def test_its_tables_are_the_golden_ones(folder):
    assert_golden(folder, OTHERS)


def test_every_statement_has_a_verdict_and_names_its_runs(folder):
    assert_statements(folder, OTHERS)
