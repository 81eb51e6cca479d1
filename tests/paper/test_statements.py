"""What the page says of numbers: paired differences, verdicts, tables."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flnft_sim import load_scenario, run
from flnft_sim.ledger import Block
from flnft_sim.paper import PARTS, QUICK, reproduce
from flnft_sim.paper.ablation import compared
from flnft_sim.paper.fig5 import BAND_FROM, accuracy_curves, accuracy_figure, past_the_best
from flnft_sim.paper.fig6 import received
from flnft_sim.paper.paired import paired_difference, with_interval
from flnft_sim.paper.parts import Part
from flnft_sim.paper.report import markdown_table, report_text
from flnft_sim.paper.scale import FULL, PAPERS_WORKLOADS, workload_name
from flnft_sim.paper.schemes import SETTLING, TRAINS_AS, by_scheme, schemes_study, trained
from flnft_sim.paper.section import Section, Statement, Verdict, judge
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.paper.table3 import PRINTED_S, formula, orderings
from flnft_sim.sweeps import LogReporter, SweepOptions, SweepPlan

numbers = st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=2, max_size=20)


@given(numbers)
def test_a_paired_difference_is_students_test_on_the_differences(pairs):
    one, other = (pd.Series(values, dtype=float) for values in zip(*pairs, strict=True))
    d = paired_difference(one, other)
    if np.std(one - other) < 1e-9 * max(1.0, np.abs(one - other).max()):
        return  # SciPy warns of catastrophic cancellation there
    reference = stats.ttest_rel(one, other)
    interval = reference.confidence_interval()
    assert d.p == pytest.approx(reference.pvalue, abs=1e-9)
    assert (d.low, d.high) == pytest.approx((interval.low, interval.high))
    if abs(d.p - 0.05) > 1e-6:
        assert (d.sign != 0) == (d.p < 0.05)  # an interval without 0 and a p-value below 5 % are one thing
    swapped = paired_difference(other, one)
    assert swapped.sign == -d.sign and swapped.mean == pytest.approx(-d.mean)


def test_only_seeds_that_both_have_are_compared():
    d = paired_difference(pd.Series({0: 1.0, 1: 2.0, 7: 9.0}), pd.Series({0: 0.5, 1: 1.0}))
    assert (d.n, d.mean) == (2, 0.75)


def test_one_seed_decides_nothing():
    d = paired_difference(pd.Series({0: 1.0}), pd.Series({0: 0.0}))
    assert d.sign == 0 and math.isnan(d.low) and "one seed" in d.text()
    assert with_interval(1.25, math.nan) == "1.2"


def test_schemes_trained_past_their_best_round_are_named_and_ordered_by_it():
    final = pd.DataFrame(
        {
            "workload": ["MLP-MNIST"] * 4,
            "scheme": ["centralized", "pms-am", "loss", "gradient-norm"],
            "accuracy": [0.6, 0.7, 0.5, 0.5],
            "best_accuracy": [0.8, 0.71, 0.5, 0.5],
            "best_round": [3, 90, 100, 100],
        }
    )
    fallen, order = past_the_best(final)
    assert "Centralized on MLP-MNIST (80.0% in round 3, 60.0% in the end)" in fallen and "PMS-AM on" not in fallen
    assert "MLP-MNIST: Centralized > PMS-AM > Loss-based = Gradient-norm." in order
    assert past_the_best(final[1:]) == []


@pytest.mark.parametrize(
    ("signs", "verdict"),
    [
        ([1, 1], Verdict.AS_PRINTED),
        ([1, 0], Verdict.PARTLY),
        ([1, -1], Verdict.PARTLY),
        ([-1, 0], Verdict.NOT_AS_PRINTED),
        ([0, 0], Verdict.UNDECIDED),
        ([], Verdict.UNDECIDED),
    ],
)
def test_verdicts(signs, verdict):
    assert judge(signs) is verdict


def test_the_printed_table_agrees_with_itself():
    rows = [
        (scheme, workload_name(*workload), PRINTED_S[scheme][workload], PRINTED_S[scheme][workload])
        for scheme in PRINTED_S
        for workload in PAPERS_WORKLOADS
    ]
    table = pd.DataFrame(rows, columns=["scheme", "workload", "paper_s", "ours_s"])
    assert orderings(table) == (21, [])
    reversed_ = table.assign(ours_s=-table["paper_s"])
    assert orderings(reversed_)[0] == 0


def printed_runs(seconds, decision_s=0.0):
    """A run per cell of Table 3, with the minting time that `seconds` makes of scheme, workload and the printed one."""
    return pd.DataFrame(
        [
            {
                "learning.scheme": scheme,
                "learning.dataset": dataset,
                "learning.model": model,
                "seed": 0,
                "minting_time_s": seconds(scheme, (dataset, model), PRINTED_S[scheme][dataset, model]),
                "minting_decision_s": decision_s,
            }
            for scheme in trained(PRINTED_S)
            for dataset, model in PAPERS_WORKLOADS
        ]
    )


def told_of_table3(tmp_path, runs, settled):
    plans = {plan.name: plan.sweep for plan in PARTS["table3"].studies(FULL)}
    own = {"table3": runs, "table3-settled": settled[settled["learning.scheme"] == "pms-am"]}
    done = {name: Study(plans[name], tmp_path, own[name], pd.DataFrame(), 0, 0.0, ()) for name in plans}
    return PARTS["table3"].tell(done, FULL)


def test_what_table_3_assumes_does_not_count_as_predicted(tmp_path):
    as_printed = printed_runs(lambda scheme, workload, printed_s: printed_s)
    halved = printed_runs(lambda scheme, workload, printed_s: printed_s / 2 if scheme == "pms-am" else printed_s)
    predicted, row, ordered, _ = told_of_table3(tmp_path, as_printed, halved).statements
    assert "the other 8 cells are predictions" in predicted.ours and "8 within 20%" in predicted.ours
    assert (predicted.verdict, row.verdict) == (Verdict.AS_PRINTED, Verdict.NOT_AS_PRINTED)  # settled: half of print
    assert "-50.0%" in row.ours
    assert "without PMS-AM 8 of 9 (not: Loss-based and Gradient-norm on CNN-MNIST)" in ordered.ours  # one run for both
    assert "assumed row 20 of 21" in ordered.ours and "settled row 20 of 21" not in ordered.ours
    predicted, row, ordered, _ = told_of_table3(tmp_path, halved, as_printed).statements  # the assumed row far off
    assert (predicted.verdict, row.verdict) == (Verdict.AS_PRINTED, Verdict.AS_PRINTED)
    assert "assumed row 20 of 21" not in ordered.ours and "settled row 20 of 21" in ordered.ours
    off = printed_runs(lambda scheme, workload, printed_s: printed_s * (2 if scheme == "loss" else 1))
    assert told_of_table3(tmp_path, off, as_printed).statements[0].verdict is Verdict.NOT_AS_PRINTED


def test_four_numbers_make_table_3_of_its_first_row(tmp_path):
    """5/3, 1/9 and 1,000 s by hand; a timeline that says the same has nothing to add, another is told apart."""
    assert formula("loss", 732.82) == pytest.approx(732.82 * 16 / 9)
    assert formula("pms-am", 732.82) == pytest.approx(2221.3667, abs=1e-3)
    assert formula("random", 732.82) == 732.82

    def plain(scheme, workload, _printed_s):
        return formula(scheme, PRINTED_S["random"][workload])

    runs = printed_runs(plain, decision_s=1000.0)
    same = told_of_table3(tmp_path, runs, runs).statements[-1].ours
    assert "lie within 0.0% of each other in all 12 cells" in same
    other = told_of_table3(tmp_path, runs.assign(minting_time_s=1.5 * runs["minting_time_s"]), runs).statements[-1].ours
    assert "lie within 50.0% of each other" in other


def test_decisions_use_up_all_of_t_in_table_3_unless_they_are_left_to_settle():
    fields = {"learning.scheme": "pms-am", "learning.rounds": 3, "game.history_auctions": 4}
    published = load_scenario("table3")
    fields["game.cost_price"] = published.game.cost_price * published.learning.rounds / 3  # a minting costs as much
    period_s = published.game.decision_period_s
    took = [run(load_scenario("table3", overrides=fields | more)).summary for more in ({}, SETTLING)]
    assert took[0]["minting_decision_s"] == 3 * period_s
    assert took[1]["minting_decision_s"] < 0.5 * 3 * period_s


def workload_runs(accuracy, privacy):
    """Five seeds of a scheme per entry on MLP-MNIST, its accuracy around the given one."""
    return pd.DataFrame(
        [
            {
                "workload": "MLP-MNIST",
                "scheme": scheme,
                "seed": seed,
                "accuracy": mean + 0.001 * seed + 0.0005 * (seed % 2) * (scheme != "pms-am"),
                "local_epochs": 5.0,
                "privacy_budget": privacy,
            }
            for scheme, mean in accuracy.items()
            for seed in range(5)
        ]
    )


def test_a_lead_that_is_all_privacy_is_none_at_equal_privacy():
    runs = workload_runs({"pms-am": 0.97, "loss": 0.96, "random": 0.95}, 3.0)
    table = compared(runs, workload_runs({"loss": 0.9698, "random": 0.96}, 5.0)).set_index("against")
    assert table.loc["loss", "drawn_difference"] == pytest.approx(0.01, abs=0.001)
    assert table.loc["loss", "ci95_low"] < 0 < table.loc["loss", "ci95_high"]  # gone
    assert table.loc["random", "ci95_low"] > 0.009  # not all of it was privacy
    assert table["n"].tolist() == [5, 5]


def test_what_is_received_is_compared_with_what_was_announced():
    runs = pd.DataFrame(
        {
            "reward_announced_money": [100.0, 100.0, 100.0, 100.0],
            "reward_received_money": [120.0, 105.0, 100.1, 20.0],
            "licences_total": [5, 5, 5, 1],
        }
    )
    told = received(runs, "`runs/x`").ours
    assert "more than was announced in 2 of 4 runs, by 5% to 20%" in told
    assert "less in 1, where at most 1 of the providers" in told


def test_schemes_that_rank_train_alike_when_all_are_chosen():
    """What lets the reproduction train one of the two: equal to the last bit, round by round and user by user."""
    fields = {"learning.rounds": 3, "game.history_auctions": 4, "learning.sensitivity": 0.05}
    for scheme, original in TRAINS_AS.items():
        one, other = (
            run(load_scenario("paper10", overrides=fields | {"learning.scheme": name})) for name in (scheme, original)
        )
        assert one.rounds.equals(other.rounds) and one.users.equals(other.users)
        blocks = [map(Block.from_line, result.ledger_lines) for result in (one, other)]
        for a, b in zip(*blocks, strict=True):  # their hashes differ: genesis holds the scenario's
            assert (a.time_s, a.transactions) == (b.time_s, b.transactions)
        short = {"learning.rounds": 3, "game.history_auctions": 4}
        one, other = (
            run(load_scenario("table3", overrides=short | {"learning.scheme": name})) for name in (scheme, original)
        )
        assert one.summary == other.summary  # the time of ranking included
        share = {"learning.round_share": 0.5}
        one, other = (
            run(load_scenario("paper10", overrides=fields | share | {"learning.scheme": name}))
            for name in (scheme, original)
        )
        assert not one.users.equals(other.users)  # with half of the users chosen they are two schemes


def test_a_study_lends_runs_to_the_scheme_it_leaves_out():
    plan = schemes_study(FULL).sweep
    run_for = plan.grid["learning.scheme"]
    assert not set(TRAINS_AS) & set(run_for)
    table = pd.DataFrame([{**point, "seed": 0, "accuracy": float(i)} for i, point in enumerate(plan.points())])
    told = by_scheme(table)
    assert sorted(set(told["scheme"])) == sorted([*run_for, *TRAINS_AS])
    for scheme, original in TRAINS_AS.items():
        a, b = (told[told["scheme"] == name]["accuracy"].tolist() for name in (scheme, original))
        assert a == b


@pytest.mark.parametrize("seeds", [BAND_FROM - 1, BAND_FROM])
def test_a_curve_has_a_band_only_where_seeds_make_one(seeds):
    rounds = pd.DataFrame(
        [("w", "pms-am", number, 0.5 + number / 100 + seed / 1000) for seed in range(seeds) for number in (1, 2, 3)],
        columns=["workload", "scheme", "round", "accuracy"],
    )
    axes = accuracy_figure(accuracy_curves(rounds)).axes[0]
    points = sum(len(path.vertices) for band in axes.collections for path in band.get_paths())
    assert (points > 0) == (seeds >= BAND_FROM)


def test_tables_survive_markdown_signs():
    text = markdown_table(pd.DataFrame({"a|b": ["x|y"]}))
    assert text.splitlines() == ["| a\\|b |", "| --- |", "| x\\|y |"]


def test_the_page_counts_its_verdicts_and_says_what_is_missing():
    statement = Statement("p", "o", Verdict.PARTLY, "`runs/x`, seed 0")
    text = report_text({"a": Section("A", "intro", (statement, statement))}, {}, FULL, waiting=["fig5"])
    assert "2 partly as printed." in text and "not finished: fig5" in text


def blocks_studies(scale):
    plan = SweepPlan(
        name="blocks",
        scenario="tiny",
        grid={"public_chain.block_interval_s": [5, 13]},
        seeds=(0, 1),
        metrics=("minting_time_s",),
    )
    return [StudyPlan(plan, seconds_per_run=1.0)]


def tell_blocks(done, scale):
    runs = done["blocks"].runs
    by_interval = runs.groupby("public_chain.block_interval_s")["minting_time_s"].mean()
    slower = by_interval[13] > by_interval[5]
    ours = f"{by_interval[13] - by_interval[5]:+.1f} s with slower blocks"
    statement = Statement("Consensus takes time", ours, judge([1 if slower else -1]), done["blocks"].source())
    return Section(title="Blocks", introduction="", statements=(statement,))


def test_a_part_of_ones_own_is_run_told_and_resumed(tmp_path, monkeypatch):
    """The example of docs/extending.md; its page, its runs, and a note of the time left."""
    monkeypatch.setitem(PARTS, "blocks", Part(blocks_studies, tell_blocks))
    told = []
    reporter = LogReporter(told.append, interval_s=0.0)
    made = reproduce(["blocks"], QUICK, out=tmp_path, options=SweepOptions(serial=True), reporter=reporter)
    assert made.sections["blocks"].statements[0].verdict is Verdict.AS_PRINTED
    assert "`runs/blocks`, seeds 0–1" in (tmp_path / "report.md").read_text(encoding="utf-8")
    assert any(line.startswith("blocks (1 of 1): 1/4 runs; about ") and line.endswith("left in all") for line in told)
    page = (tmp_path / "report.html").read_bytes()
    told.clear()
    reproduce(["blocks"], QUICK, out=tmp_path, options=SweepOptions(serial=True), reporter=reporter)
    assert any("4 of 4 runs are in" in line for line in told)
    assert (tmp_path / "report.html").read_bytes() == page
