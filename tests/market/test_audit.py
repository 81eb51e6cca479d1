"""The audit is only worth something if it finds what is broken; here rules are broken on purpose."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer import Typer
from typer.testing import CliRunner

from flnft_sim.cli.audit import AuditFailed, audit_command
from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.figures.rules import draw_rules_by_size
from flnft_sim.market import RULES, Counterexample, audit, clear
from flnft_sim.market.audit import efficiency_by_size
from flnft_sim.market.audit.markets import Markets, market_stacks
from flnft_sim.market.audit.search import best_lies
from flnft_sim.market.clearing import clear_stack
from flnft_sim.market.rules import Outcome, one_dao_serves


@pytest.mark.parametrize("rule", ["pms-am", "mcafee"])
def test_the_truthful_rules_come_out_clean(rule):
    report = audit(rule, markets=4000, seed=1)
    assert (report.max_buyer_gain, report.max_seller_gain) == (0, 0)
    assert (report.min_utility, report.min_surplus) == (0, 0)
    assert report.counterexamples == {}
    assert all(report.holds(name) for name in ("ic", "ir", "bb"))
    assert report.trades > 0.3  # not clean for want of trade


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["pms-am", "mcafee"])
def test_the_truthful_rules_come_out_clean_on_100_000_markets(rule):
    report = audit(rule, markets=100_000, seed=0)
    assert report.markets == 100_000
    assert report.counterexamples == {}


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        ("pms-am-literal", {"ic-buyer", "ic-seller", "ir-seller", "bb"}),
        ("first-price", {"ic-buyer", "ic-seller"}),
        ("uniform", {"ic-buyer", "ic-seller"}),
        ("vcg", {"bb"}),
        ("random", set()),
    ],
)
def test_every_broken_promise_is_found_and_fits_on_a_page(rule, broken):
    report = audit(rule, markets=400)
    assert {promise for promise, count in report.violations.items() if count} == broken
    assert set(report.counterexamples) == broken
    for promise, example in report.counterexamples.items():
        assert example.promise == promise
        assert example.violation() > 0.1
        assert len(example.values) <= 5 and len(example.costs) <= 3
        for amount in (*example.values, *example.costs):
            assert amount == round(amount, 2)


def altered(rule, change):
    """A rule whose outcome is changed by `change(book, outcome)`."""
    return lambda book: change(book, RULES.get(rule)(book))


def no_middle_check(book, outcome):
    """McAfee that trades k pairs at p0 also where p0 is outside their interval: the classic mistake."""
    n, m = book.bids.shape[-1], book.asks.shape[-1]
    k = book.efficient_pairs()
    inner = (k > 0) & (k < min(n, m))
    middle = ((book.bid(np.minimum(k + 1, n)) + book.ask(np.minimum(k + 1, m))) / 2)[..., None]
    buys, sells = book.first_bids(k) & inner[..., None], book.first_asks(k) & inner[..., None]
    return Outcome(buys, np.where(buys, middle, 0.0), sells.astype(np.int64), np.where(sells, middle, 0.0))


def own_ask_sets_price(book, outcome):
    """The default rule, but at the middle of s_1 and p."""
    price = (np.minimum(book.ask(2), book.reserve) + book.ask(1)) / 2
    wins = np.isfinite(price)[..., None] & (book.bids >= price[..., None])
    wins &= (book.ask(1) <= book.reserve)[..., None]
    return one_dao_serves(book, wins, price[..., None])


def entry_fee(book, outcome):
    """Everybody who takes part pays a little, winners and losers."""
    return replace(outcome, payments=outcome.payments + 0.01)


def leak(book, outcome):
    """The DAO gets a millionth more than was paid."""
    return replace(outcome, receipts=outcome.receipts * (1 + 1e-6))


def fourth_bidder_discount(book, outcome):
    """A narrow hole: with five bidders or more, the fourth pays the fifth's bid."""
    payments = outcome.payments.copy()
    if book.bids.shape[-1] >= 5:
        fourth = outcome.wins[..., 3]
        payments[..., 3] = np.where(fourth, np.minimum(book.bids[..., 4], payments[..., 3]), 0.0)
    return one_dao_serves(book, outcome.wins, payments)


@pytest.mark.parametrize(
    ("change", "promise"),
    [
        (own_ask_sets_price, "ic-seller"),
        (entry_fee, "ir-buyer"),
        (leak, "bb"),
        (no_middle_check, "ir-seller"),
        (fourth_bidder_discount, "ic-buyer"),
    ],
)
def test_a_rule_broken_on_purpose_is_caught(monkeypatch, change, promise):
    base = "mcafee" if change is no_middle_check else "pms-am"
    monkeypatch.setitem(RULES._parts, "broken", altered(base, change))
    report = audit("broken", markets=600)
    assert report.violations[promise] > 0
    assert report.counterexamples[promise].violation() > 0


@pytest.mark.parametrize("rule", ["pms-am-literal", "first-price", "mcafee"])
@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_no_lie_on_a_fine_grid_pays_better_than_the_one_found(rule, side):
    """Against an independent, slow search, market by market and party by party."""
    for stack in list(market_stacks(12, np.random.default_rng(3))):
        truth = clear_stack(rule, stack.values, stack.costs, stack.reserve, seed=0)
        for party in range((stack.values if side == "buyer" else stack.costs).shape[1]):
            found = best_lies(rule, stack, truth, side, party, seed=0)
            gains = [gain(rule, stack, side, party, lie) for lie in np.linspace(0, 12, 25)]
            assert max(gains) <= max(found.gain[0], 0.0) + 1e-4
            assert gain(rule, stack, side, party, found.report[0]) == pytest.approx(found.gain[0])


def gain(rule, stack, side, party, lie):
    """Utility under a lie less that under truth, in the first market of a stack."""
    values, costs, reserve = stack.values[0], stack.costs[0], float(stack.reserve[0])

    def utility(bids, asks):
        result = clear(rule, bids, asks, reserve=reserve, seed=0)
        if side == "buyer":
            return (values[party] if party in result.buyers else 0.0) - result.payments[party]
        return result.receipts[party] - costs[party] * result.licences[party]

    bids, asks = values.copy(), costs.copy()
    (bids if side == "buyer" else asks)[party] = lie
    return utility(bids, asks) - utility(values, costs)


def test_first_best_and_efficiency_by_hand():
    """Values 10, 6, 5 and costs 1, 7, 8: first best 9 + 5 + 4 = 18; at p = 7 only 10 is served: 9 of 18."""
    market = Markets(np.array([[10.0, 6, 5]]), np.array([[1.0, 7, 8]]), np.array([np.inf]))
    assert market.first_best.tolist() == [18]
    example = Counterexample("pms-am", "ic-buyer", (10, 6, 5), (1, 7, 8), np.inf, 0, party=1, report=7.5)
    assert example.violation() == -1  # it would pay 7 for what is worth 6
    literal = replace(example, rule="pms-am-literal")
    assert literal.violation() == 1  # pays 5 for what is worth 6
    assert "buyer 1 reports 7.5" in literal.story()


def test_market_kinds_include_the_structured_ones():
    stacks = list(market_stacks(3000, np.random.default_rng(0)))
    assert sum(map(len, stacks)) == 3000
    markets = [(s.values[i], s.costs[i], s.reserve[i]) for s in stacks for i in range(len(s))]
    assert any(len(c) == 1 for _, c, _ in markets)
    assert any(len(v) > 1 and np.ptp(v) == 0 for v, _, _ in markets)
    assert any(v.max() / v.min() > 1e5 for v, _, _ in markets if v.min() > 0)
    assert any(np.unique(v).size < v.size for v, _, _ in markets)
    assert any(r in v or r in c for v, c, r in markets)
    assert max(max(v.max(), c.max()) for v, c, _ in markets) <= 10


def test_the_same_seed_gives_the_same_report():
    assert audit("uniform", markets=40, seed=4) == audit("uniform", markets=40, seed=4)
    assert audit("uniform", markets=40, seed=4) != audit("uniform", markets=40, seed=5)


def test_bad_arguments_are_named():
    with pytest.raises(UnknownNameError, match="did you mean 'uniform'"):
        audit("unifrom", markets=10)
    with pytest.raises(InputError, match="audit of 0 markets"):
        audit("pms-am", markets=0)
    with pytest.raises(InputError, match="no property 'xx'"):
        audit("pms-am", markets=1).holds("xx")
    with pytest.raises(InputError, match=r"x\.json is no counterexample"):
        Counterexample.from_json("{}", source="x.json")


def test_counterexamples_survive_json():
    for reserve in (np.inf, 3.5):
        example = Counterexample("vcg", "bb", (10.0, 6.0), (1.0, 7.0), reserve, 3)
        assert Counterexample.from_json(example.to_json()) == example
        assert json.loads(example.to_json())["violation"] == example.violation()


def test_rules_in_growing_markets_and_their_picture():
    rows = efficiency_by_size(["pms-am", "vcg"], bidders=(2, 10), daos=(1, 3), markets=300)
    assert [row.efficiency for row in rows if row.rule == "vcg"] == pytest.approx([1.0] * 4)
    assert all(0.3 < row.efficiency < 1 for row in rows if row.rule == "pms-am")
    figure = draw_rules_by_size(rows)
    assert len(figure.axes) == 4
    np.testing.assert_allclose(figure.axes[0].lines[1].get_ydata(), 1.0)


class TestCommand:
    @pytest.fixture
    def flnft(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        app = Typer()
        app.command()(audit_command)
        return lambda *arguments: CliRunner().invoke(app, arguments)

    def test_table_counterexample_and_replay(self, flnft, tmp_path):
        kept = ("--markets", "200", "--out", "audit")
        done = flnft("pms-am-literal", "pms-am", *kept, "--require", "ir")
        assert isinstance(done.exception, AuditFailed)
        assert "pms-am-literal ir" in str(done.exception) and "pms-am ir" not in str(done.exception)
        assert "pms-am-literal no" in done.stdout
        path = tmp_path / "audit" / "pms-am-literal-ic-buyer.json"
        replayed = flnft("--replay", str(path))
        assert replayed.exit_code == 0
        assert "reports" in replayed.stdout
        path.write_text(json.dumps(json.loads(path.read_text()) | {"rule": "pms-am"}))
        assert isinstance(flnft("--replay", str(path)).exception, AuditFailed)
        path.with_name("pms-am-ic-buyer.json").write_text("stale")
        assert flnft("pms-am", *kept, "--require", "ic,ir,bb").exit_code == 0
        assert sorted(p.name for p in path.parent.glob("pms-am-ic*")) == []

    def test_bad_usage_is_named(self, flnft):
        assert isinstance(flnft("pms-am", "--require", "ic,xx").exception, InputError)
        assert isinstance(flnft("pms").exception, UnknownNameError)
        assert isinstance(flnft("--replay", "missing.json").exception, InputError)
