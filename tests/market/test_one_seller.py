"""With a single DAO some rules coincide: which, and where a run and a sweep say so."""

import numpy as np
import pytest

from flnft_sim import load_scenario, run
from flnft_sim.market import RULES, alike_with_one_seller, clear, posts_the_reserve
from flnft_sim.market.rules import one_dao_serves
from flnft_sim.results import summary_text
from flnft_sim.sweeps import SweepOptions, run_sweep

QUICK = {"learning.learner": "surrogate", "game.history_auctions": 6, "game.damping": 1.0}
OTHERS = ["first-price", "mcafee", "pms-am-literal", "random", "uniform", "vcg"]


@pytest.fixture
def posted_price():
    """The example of docs/extending.md."""

    def rule(book):
        price = book.reserve
        trade = (book.ask(1) <= price) & np.isfinite(price)
        return one_dao_serves(book, trade[..., None] & (book.bids >= price[..., None]), price[..., None])

    # As long a name as `pms-am`: the result on the chain names its rule, and bytes are gas.
    RULES.register("posted")(rule)
    yield "posted"
    del RULES._parts["posted"]


def test_pms_am_is_a_posted_price_and_no_other_shipped_rule_is(posted_price):
    assert [rule for rule in ["pms-am", posted_price, *OTHERS] if posts_the_reserve(rule)] == ["pms-am", posted_price]
    assert alike_with_one_seller([*OTHERS, "pms-am", posted_price]) == [("pms-am", posted_price)]
    assert alike_with_one_seller(["pms-am", *OTHERS]) == []


@pytest.mark.parametrize("rule", OTHERS)
def test_a_market_by_hand_in_which_each_other_rule_differs(rule):
    """Bids 9, 8, 7, 1, ask 2, reserve 5: posted, three pay 5."""
    posted, other = (clear(each, [9.0, 8.0, 7.0, 1.0], [2.0], reserve=5.0, seed=1) for each in ("pms-am", rule))
    assert posted.payments.tolist() == [5.0, 5.0, 5.0, 0.0] and posted.receipts.tolist() == [15.0]
    assert other.payments.tolist() != posted.payments.tolist()


def test_with_two_sellers_the_second_ask_tells_them_apart(posted_price):
    two = [clear(each, [9.0, 8.0], [2.0, 4.0], reserve=5.0).price for each in ("pms-am", posted_price)]
    assert two == [4.0, 5.0]


def test_the_summary_says_so_and_prints_ask_and_reserve():
    one = run(load_scenario("tiny", overrides=QUICK))
    auction, text = one.auctions.iloc[0], " ".join(summary_text(one).split())
    assert one.summary["sellers_most"] == 1
    assert f"ask {auction['ask_money']:,.2f}, reserve {auction['reserve_money']:,.2f}" in text
    assert "one seller pms-am is then a posted price, the reserve" in text
    assert auction["price_money"] == auction["reserve_money"]
    several = run(load_scenario("market", overrides=QUICK | {"market.auctions": 1, "learning.rounds": 2}))
    assert several.summary["sellers_most"] == 2 and "one seller" not in summary_text(several)
    literal = run(load_scenario("tiny", overrides=QUICK | {"market.rule": "vcg"}))
    assert "one seller" not in summary_text(literal)


@pytest.mark.parametrize(("daos", "says"), [(1, True), (2, False)])
def test_a_sweep_over_rules_says_which_cannot_differ(posted_price, daos, says, tmp_path):
    plan = {
        "name": "rules",
        "scenario": "tiny",
        "set": QUICK | {"population.daos": daos, "learning.rounds": 1},
        "grid": {"market.rule": ["pms-am", posted_price, "vcg"]},
        "seeds": 1,
    }
    outcome = run_sweep(plan, SweepOptions(serial=True), out=tmp_path)
    if not says:
        assert outcome.notes == ()
        return
    [note] = outcome.notes
    assert note.startswith("one seller in every auction: rules cannot differ")
    assert f"pms-am = {posted_price}" in note and "vcg" not in note
    _, *rows = (tmp_path / "runs.csv").read_text(encoding="utf-8").splitlines()
    first, second, third = (row.split(",")[3:] for row in rows)
    assert first == second != third
