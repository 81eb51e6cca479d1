"""Whole numbers in the JSON that a run leaves are exact for every reader: JavaScript knows none beyond 2⁵³."""

import json

import pytest

from flnft_sim import load_scenario, run

QUICK = {"learning.learner": "surrogate", "learning.rounds": 2, "game.history_auctions": 6}
MOST = {  # the largest seed, and as much money as a ledger may count
    "seed": 2**53 - 1,
    "game.budget_money": 2.9e9,
    "market.auctioneer_money": 3e8,
    "game.demand.factors": [1.0],
    "game.demand.noise": 0.1,
}


def whole_numbers(value):
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from whole_numbers(inner)
    elif isinstance(value, int):
        yield value


@pytest.mark.parametrize(("name", "fields"), [("tiny", MOST), ("byzantine", {})])
def test_no_file_of_a_run_holds_a_number_that_javascript_would_round(tmp_path, name, fields):
    result = run(load_scenario(name, overrides=QUICK | fields))
    result.save(tmp_path / "run", figures=False)
    texts = [path.read_text() for path in (tmp_path / "run").glob("*.json")]
    texts += (tmp_path / "run" / "ledger.jsonl").read_text().splitlines()
    numbers = [number for text in texts for number in whole_numbers(json.loads(text))]
    assert max(numbers) > 10**9 and max(map(abs, numbers)) < 2**53
    if fields:
        assert 2**53 - 1 in numbers
        assert 8.5e15 < result.summary["money_issued_units"] == result.accounts["balance_money_units"].sum() < 2**53
