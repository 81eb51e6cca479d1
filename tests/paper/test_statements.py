"""What the page says of numbers: paired differences, verdicts, tables."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flnft_sim import load_scenario, run
from flnft_sim.paper import PARTS, QUICK, reproduce
from flnft_sim.paper.fig5 import BAND_FROM, accuracy_curves, accuracy_figure, past_the_best
from flnft_sim.paper.paired import paired_difference, with_interval
from flnft_sim.paper.parts import Part
from flnft_sim.paper.report import markdown_table, report_text
from flnft_sim.paper.scale import FULL, PAPERS_WORKLOADS, workload_name
from flnft_sim.paper.schemes import TRAINS_AS, by_scheme, schemes_study
from flnft_sim.paper.section import Section, Statement, Verdict, judge
from flnft_sim.paper.study import StudyPlan
from flnft_sim.paper.table3 import PRINTED_S, orderings
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


def test_schemes_that_rank_train_alike_when_all_are_chosen():
    """What lets the reproduction train one of the two: equal to the last bit, round by round and user by user."""
    fields = {"learning.rounds": 3, "game.history_auctions": 4, "learning.sensitivity": 0.05}
    for scheme, original in TRAINS_AS.items():
        one, other = (
            run(load_scenario("paper10", overrides=fields | {"learning.scheme": name})) for name in (scheme, original)
        )
        assert one.rounds.equals(other.rounds) and one.users.equals(other.users)
        assert one.ledger_lines == other.ledger_lines
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
