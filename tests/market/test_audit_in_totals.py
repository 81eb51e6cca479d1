"""The audit of rules on total asks, of the default rule held to them, and of what no rule promises."""

import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner

from flnft_sim import load_scenario
from flnft_sim.cli.audit import audit_command
from flnft_sim.errors import InputError
from flnft_sim.experiments.composed_audit import composed_audit
from flnft_sim.market import RULES, Counterexample, audit, clear
from flnft_sim.market.audit import efficiency_by_size, unclaimed
from flnft_sim.market.audit.markets import Markets, market_stacks
from flnft_sim.market.audit.search import best_lies
from flnft_sim.market.audit.terms import clear_stack_in
from flnft_sim.market.audit.unclaimed import worst_of
from flnft_sim.market.rules import RuleFacts, one_dao_serves

IN_TOTALS = {"asks": "total", "reserve": np.inf, "seed": 0}


def test_cost_sharing_comes_out_clean_in_totals():
    report = audit("cost-sharing", markets=1200, seed=1)
    assert report.asks == "total"
    assert report.counterexamples == {} and not any(report.violations.values())
    assert (report.below_cost, report.min_surplus) == (0, 0)
    assert report.trades > 0.3  # not clean for want of trade


@pytest.mark.slow
def test_cost_sharing_comes_out_clean_on_100_000_markets():
    report = audit("cost-sharing", markets=100_000, seed=0)
    assert report.markets == 100_000 and report.counterexamples == {}


@pytest.mark.parametrize("rule", ["rsop", "rspe", "myerson"])
def test_rules_for_a_fixed_model_keep_bidders_truthful_and_no_dao(rule):
    """The cheapest DAO gets all, whatever it asks: less than its cost at times, and asking less wins."""
    report = audit(rule, markets=240)
    assert {promise for promise, count in report.violations.items() if count} == {"ic-seller", "ir-seller"}
    assert report.below_cost > 0.05


def test_the_default_rule_fails_daos_in_totals():
    """The winner's receipts are p a licence, and need not reach the total that its ask stood for."""
    report = audit("pms-am", markets=240, asks="total")
    assert {promise for promise, count in report.violations.items() if count} == {"ic-seller", "ir-seller"}
    assert report.below_cost > 0.1
    by_hand = Counterexample("pms-am", "ir-seller", (9, 0), (9,), 9, 0, party=0, asks="total")
    assert by_hand.violation() == 4.5  # one of two providers pays half of the total
    assert audit("pms-am", markets=120).counterexamples == {}  # and keeps every promise per licence


def altered(change):
    def rule(book):
        return change(book, RULES.get("cost-sharing")(book))

    return rule


def own_ask_sets_the_target(book, outcome):
    served = np.count_nonzero(outcome.wins, axis=-1)
    target = (book.ask(1) + outcome.receipts.sum(axis=-1)) / 2
    return one_dao_serves(book, outcome.wins, (target / np.maximum(served, 1))[..., None])


def shares_of_all_who_came(book, outcome):
    """Divide by the bidders and not by the winners: the books do not balance for the DAO."""
    return one_dao_serves(book, outcome.wins, outcome.receipts.sum(axis=-1, keepdims=True) / book.bids.shape[-1])


def pays_its_bid(book, outcome):
    return one_dao_serves(book, outcome.wins, np.where(outcome.wins, book.bids, 0.0))


@pytest.mark.parametrize(
    ("change", "promise"),
    [(own_ask_sets_the_target, "ic-seller"), (shares_of_all_who_came, "ir-seller"), (pays_its_bid, "ic-buyer")],
)
def test_a_rule_on_totals_broken_on_purpose_is_caught(monkeypatch, change, promise):
    monkeypatch.setitem(RULES._parts, "broken", altered(change))
    monkeypatch.setitem(RULES._facts, "broken", RuleFacts(asks="total"))
    report = audit("broken", markets=400)
    assert report.counterexamples[promise].violation() > 0.1


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_no_lie_on_a_fine_grid_pays_better_than_the_one_found(side):
    """Against an independent, slow search, where the default rule is held to totals."""
    for stack in list(market_stacks(12, np.random.default_rng(3), "total")):
        truth = clear_stack_in("total", "pms-am", stack.values, stack.costs, stack.reserve, seed=0)
        values, costs, reserve = stack.values[0], stack.costs[0], float(stack.reserve[0])

        def utility(bids, asks, party, values=values, costs=costs, reserve=reserve):
            result = clear("pms-am", bids, asks / len(bids), reserve=reserve / len(bids), seed=0)
            if side == "buyer":
                return (values[party] if party in result.buyers else 0.0) - result.payments[party]
            return result.receipts[party] - costs[party] * (party in result.sellers)

        for party in range((values if side == "buyer" else costs).size):
            found = best_lies("pms-am", stack, truth, side, party, seed=0)
            honest, gains = utility(values, costs, party), []
            for lie in np.linspace(0, 25, 40):
                reports = values.copy(), costs.copy()
                reports[side == "seller"][party] = lie
                gains.append(utility(*reports, party) - honest)
            assert max(gains) <= max(found.gain[0], 0.0) + 1e-4


def test_first_best_in_totals_by_hand():
    """Values 10, 6, 5 and totals 12, 30: all are served for 12, or nobody."""
    markets = Markets(np.array([[10.0, 6, 5], [1, 1, 1]]), np.array([[12.0, 30]] * 2), np.array([np.inf] * 2), "total")
    assert markets.first_best.tolist() == [9, 0]
    assert markets.cost_of(np.array([[3, 0], [0, 0]])).tolist() == [[12, 0], [0, 0]]


KNOWN = {  # from the design of the rule, by hand
    "a second name of a DAO asks 6, and three providers share it": (
        Counterexample("cost-sharing", "false-name-seller", (3, 2, 2), (4, 13), party=0, report=6, **IN_TOTALS),
        2.0,
    ),
    "10 beside 4 enters as 4 and 4, and three names share 12": (
        Counterexample("cost-sharing", "false-name-buyer", (10, 4), (3, 12), party=0, report=4, **IN_TOTALS),
        2.0,
    ),
    "two DAOs lift the second ask from 18 to 24": (
        Counterexample(
            "cost-sharing", "sellers-together", (8, 8, 8), (9, 18), party=1, partner=0, report=24, **IN_TOTALS
        ),
        6.0,
    ),
}


@pytest.mark.parametrize(("known", "gain"), KNOWN.values(), ids=KNOWN)
def test_what_is_not_claimed_is_found_by_the_search(known, gain):
    assert known.violation() == pytest.approx(gain)
    stack = Markets(np.array([known.values], float), np.array([known.costs], float), np.array([np.inf]), "total")
    gains, example = worst_of("cost-sharing", known.promise, stack, seed=0)
    assert gains[0] >= gain - 1e-9
    assert example.violation() == pytest.approx(gains[0])
    assert Counterexample.from_json(example.to_json()) == example
    assert "does not withstand" in example.story()
    assert known.sentence().startswith("values (") and known.sentence().endswith(f": {gain:g}")


@pytest.mark.parametrize("rule", ["cost-sharing", "rsop", "myerson"])
def test_gains_of_second_names_and_pacts_are_those_of_their_examples(rule):
    found = {each.way: each for each in unclaimed(rule, markets=30)}
    assert set(found) == {"false-name-buyer", "false-name-seller", "sellers-together", "buyer-and-seller"}
    for each in found.values():
        assert (each.largest_gain > 0) == (each.open > 0) == (each.example is not None)
        if each.example is not None:
            assert each.largest_gain / 2 <= each.example.violation() * 1.000001
    assert found["sellers-together"].open > 0
    if rule == "myerson":  # a posted price knows no names
        assert found["false-name-buyer"].open == 0


def test_efficiency_in_totals_grows_with_daos_and_never_below_cost():
    rows = efficiency_by_size(["cost-sharing", "pms-am"], bidders=(5, 20), daos=(1, 8), markets=400, asks="total")
    sharing = [row for row in rows if row.rule == "cost-sharing"]
    assert all(row.below_cost == 0 for row in sharing)
    assert all(row.below_cost > 0.2 for row in rows if row.rule == "pms-am")
    assert np.mean([r.efficiency for r in sharing if r.daos == 8]) > np.mean(
        [r.efficiency for r in sharing if r.daos == 1]
    )


def test_a_rule_on_totals_is_not_audited_per_licence():
    with pytest.raises(InputError, match="'rsop' clears total asks, so it cannot be audited per licence"):
        audit("rsop", markets=1, asks="per-licence")
    with pytest.raises(InputError, match="audit of 0 markets"):
        unclaimed("rsop", markets=0)
    with pytest.raises(InputError, match="clears total asks, and in this audit DAOs ask for each licence"):
        composed_audit(load_scenario("market"), ["pms-am", "cost-sharing"])


def test_the_command_says_what_is_not_claimed_and_keeps_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = Typer()
    app.command()(audit_command)
    done = CliRunner().invoke(
        app, ["cost-sharing", "pms-am", "--totals", "--markets", "80", "--out", "audit", "--require", "bb"]
    )
    assert done.exit_code == 0
    assert "Not claimed by any rule" in done.stdout and "A DAO's cost is one total." in done.stdout
    assert "pms-am leaves the DAO below its cost in" in done.stdout
    both = CliRunner().invoke(app, ["--totals", "--composed", "market"])
    assert isinstance(both.exception, InputError) and "give one of the two" in str(both.exception)
    kept = tmp_path / "audit" / "cost-sharing-sellers-together.json"
    replayed = CliRunner().invoke(app, ["--replay", str(kept)])
    assert replayed.exit_code == 0 and "does not withstand sellers-together" in replayed.stdout
