"""FL-NFTs carry keywords, providers demand sets of them, and only who can use a model bids for it."""

import json
import os
import subprocess
import sys
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flnft_sim import load_scenario, run
from flnft_sim.env.views import provider_view
from flnft_sim.market import Content, match, wishes
from flnft_sim.scenario import ScenarioError
from flnft_sim.simulation import FlnftModel

words = st.frozensets(st.sampled_from("abc"))
contents = st.builds(Content, st.sampled_from(["art", "sport"]), words)


@given(contents, contents)
def test_who_demands_a_set_can_use_what_carries_all_of_it(content, demand):
    assert content.meets(demand) == (
        content.category == demand.category and all(word in content.keywords for word in demand.keywords)
    )
    assert Content.named(content.name) == content
    assert (demand.name in [content.name]) == (content == demand)


@given(contents, st.lists(contents, max_size=6))
def test_wishes_are_what_meets_the_demand_the_closest_first(demand, on_offer):
    found = [Content.named(name) for name in wishes(demand.name, [each.name for each in on_offer])]
    assert set(found) == {each for each in on_offer if each.meets(demand)}
    assert len(found) == len(set(found))
    beside = [len(each.keywords - demand.keywords) for each in found]
    assert beside == sorted(beside)


@settings(max_examples=60)
@given(st.lists(contents, min_size=1, max_size=4), st.lists(contents, min_size=1, max_size=4))
def test_as_many_contents_as_can_be_find_a_buyer_who_bids_once(on_offer, demands):
    """Against brute force over all subsets of contents and Hall's condition for each."""
    sold = [each.name for each in on_offer]
    wished = [wishes(demand.name, sold) for demand in demands]
    matching = match(sold, wished, groups_per_buyer=1)
    for group in matching.groups:
        assert all(group.category in wished[buyer] for buyer in group.buyers)
    bidding = [buyer for group in matching.groups for buyer in group.buyers]
    assert len(bidding) == len(set(bidding))
    assert set(matching.unmatched_buyers) == {b for b, wish in enumerate(wished) if not wish}
    most = max(
        len(some) for n in range(len(set(sold)) + 1) for some in combinations(sorted(set(sold)), n) if can(some, wished)
    )
    assert len(matching.groups) == most


def can(names, wished):
    """Hall: every part of these contents is wished for by at least as many buyers."""
    return all(
        sum(any(name in wish for name in part) for wish in wished) >= len(part)
        for n in range(1, len(names) + 1)
        for part in combinations(names, n)
    )


ONE = """
import json
from flnft_sim.market import match
demands = [[f"c{(buyer * wish) % 6}" for wish in range(4)] for buyer in range(9)]
print(json.dumps([group.buyers for group in match([f"c{i}" for i in range(6)], demands, groups_per_buyer=1).groups]))
"""


def test_the_same_matching_in_every_process():
    told = set()
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", ONE], capture_output=True, text=True, check=True, env=env)
        told.add(done.stdout)
    assert len(told) == 1 and json.loads(told.pop())


KEYWORDS = {
    "population.keywords": 4,
    "population.keywords_carried": 2,
    "population.keywords_demanded": (0, 2),
    "population.daos": 4,
    "population.users": 8,
    "population.providers": 12,
    "population.categories": 2,
    "game.history_auctions": 3,
    "learning.rounds": 2,
    "market.auctions": 1,
}


def test_only_who_can_use_a_model_bids_for_it():
    model = FlnftModel(load_scenario("market", overrides=KEYWORDS))
    model.run()
    assert model.cast.contract.auctions
    carried = {Content.named(dao.category).keywords for dao in model.cast.daos}
    assert all(len(words) == 2 for words in carried)
    for auction in model.cast.contract.auctions:
        for seller in auction.sellers:
            assert all(Content.named(seller.category).meets(Content.named(buyer.category)) for buyer in auction.buyers)
    for dao in model.cast.daos:
        assert dao.buyers  # nobody trains for a demand that there is not
        assert json.dumps(sorted(Content.named(dao.category).keywords))[1:-1].split(", ")[0] in dao.nft.files.document


def test_without_keywords_a_run_is_what_it_was_and_its_files_name_none():
    result = run(load_scenario("tiny", overrides={"learning.learner": "surrogate", "learning.rounds": 1}))
    assert all("keywords" not in document for document in result.nft.values())
    assert set(result.auctions["category"]) == {"category-0"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"keywords": 1, "keywords_carried": 2}, r"keywords_carried \(2\) must not exceed keywords \(1\)"),
        (
            {"keywords": 3, "keywords_demanded": (0, 2)},
            r"keywords_demanded \(2 at most\) must not exceed keywords_carr",
        ),
        ({"keywords": -1}, "keywords"),
        ({"keywords_demanded": (2, 1)}, "range is reversed"),
    ],
)
def test_keywords_that_nobody_could_meet_are_refused(fields, said):
    with pytest.raises(ScenarioError, match=said):
        load_scenario("tiny", overrides={f"population.{name}": value for name, value in fields.items()})


def test_who_learns_to_bid_sees_the_rivals_and_the_reserve_that_its_keywords_leave():
    demanding = {"population.keywords_carried": 1, "population.keywords_demanded": (1, 1)}
    model = FlnftModel(load_scenario("market", overrides=KEYWORDS | demanding))
    sold = {dao.category for dao in model.cast.daos}
    for provider in model.cast.providers:
        seen = provider_view(model, provider, by_the_book_money=1.0, rounds_done=0)
        usual, wanted = provider.base_valuation_money, sold & {provider.category}
        rivals = [other.number for other in model.cast.providers if other != provider and other.category in wanted]
        assert seen[3] * usual == pytest.approx(
            float(sum(part.sum() for part in model.world.beliefs.believed_money(rivals)))
        )
        assert seen[1] * usual == pytest.approx(model.world.reserves.money(provider.category))
    assert any(provider.category not in sold for provider in model.cast.providers)  # else nothing was told apart
