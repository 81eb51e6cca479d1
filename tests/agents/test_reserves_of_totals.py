"""What a reserve of totals, and a price by past bids, learn: nothing that anybody who takes part ever said."""

from hypothesis import given
from hypothesis import strategies as st

from flnft_sim import load_scenario, run
from flnft_sim.agents.reserve_book import TotalReserves
from flnft_sim.market import RULES, clear, learned_from
from flnft_sim.simulation import FlnftModel

names = st.frozensets(st.sampled_from("abcdef"), min_size=1)
sales = st.lists(st.tuples(names, st.lists(st.floats(1, 100), min_size=1, max_size=3)), max_size=6)


@given(sales, names, st.data())
def test_nothing_that_a_party_or_a_name_of_its_owner_said_moves_its_reserve(past, here, data):
    """With other reports of theirs, the same reserve and the same bids to learn from."""
    owner_of = data.draw(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("xyz"), max_size=4))
    owners = {owner_of.get(name, name) for name in here}

    def learned(lie):
        book = TotalReserves(None, 7.0, owner_of)
        for there, reports in past:
            theirs = any(owner_of.get(name, name) in owners for name in there)
            book.learn(there, [lie] if theirs else reports, [lie] if theirs else reports)
        return book.money(here), book.bids_money(here)

    assert learned(1.0) == learned(99.0)
    left = [r for there, reports in past if not {owner_of.get(n, n) for n in there} & owners for r in reports]
    assert learned(1.0)[1] == tuple(left)
    if not left:
        assert learned(1.0)[0] == 7.0


def test_an_untraded_ask_does_not_lift_the_next_target_of_who_made_it():
    """One DAO: it asks 140 where 20 would trade, and the next target is what it was."""
    book = TotalReserves(None, 20.0)
    before = clear("cost-sharing", [30, 30, 30], [140], reserve=book.money(["dao", "a", "b", "c"]))
    assert before.reason is not None
    book.learn(["dao", "a", "b", "c"], [140.0])
    after = clear("cost-sharing", [30, 30, 30], [15], reserve=book.money(["dao", "a", "b", "c"]))
    assert after.receipts.tolist() == [20.0]
    assert book.money(["another", "d"]) == 140.0  # whom it does not touch
    owned = TotalReserves(None, 20.0, {"shell": "dao"})
    owned.learn(["shell", "d"], [140.0])
    assert owned.money(["dao", "a"]) == 20.0


def test_a_fixed_reserve_learns_nothing():
    book = TotalReserves(33.0, 20.0)
    book.learn(["x"], [140.0])
    assert book.money(["y"]) == 33.0


def test_a_posted_price_learns_from_the_bids_of_others_alone():
    settings = RULES.settings("myerson", value_range_money=(0.0, 100.0))
    book = TotalReserves(None, 20.0)
    book.learn(["dao", "a"], [5.0], [80.0])
    told = learned_from(settings, book.bids_money(["a", "other"]))
    assert clear("myerson", [60.0], [1.0], settings=told).price == 50.0  # nothing learned: uniform up to 100
    told = learned_from(settings, book.bids_money(["b", "other"]))
    assert clear("myerson", [90.0], [1.0], settings=told).price == 80.0
    assert learned_from(None, [1.0]) is None


QUICK = {
    "population.users": 8,
    "population.providers": 6,
    "population.daos": 2,
    "population.categories": 1,
    "game.history_auctions": 2,
    "learning.rounds": 2,
    "market.auctions": 1,
}


def test_a_run_tells_its_rule_what_the_scenario_says():
    fields = QUICK | {"market.rule": "myerson", "market.value_law": "uniform", "market.value_range_money": (0.0, 84.0)}
    result = run(load_scenario("sound-market", overrides=fields | {"market.promise_spread": 0}))
    traded = result.auctions[result.auctions["winners"] > 0]
    assert len(traded) and set(traded["price_money"]) == {42.0}
    assert set(traded["price_set_by"]) <= {"prices that no ask sets"}


def test_every_rule_on_totals_lives_through_a_run_of_presale():
    for rule in ("rsop", "rspe"):
        model = FlnftModel(load_scenario("sound-market", overrides=QUICK | {"market.rule": rule}))
        model.run()
        assert model.cast.contract.auctions[0].clearing.rule == rule
