"""The summary tells what the tables hold, on a page that fits a terminal."""

import json

import numpy as np
import pytest
from synthetic_episode import episode

from flnft_sim.results import RunResult, summarise, summary_text


def test_fits_a_hundred_columns_and_has_its_sections():
    text = summary_text(episode())
    assert max(map(len, text.splitlines())) <= 100
    for section in ("Learning", "Time", "Game", "Market", "Money"):
        assert f"\n{section}\n" in text


def test_figures_are_the_tables():
    result = episode(rounds=4)
    figures = summarise(result)
    assert figures["accuracy"] == result.rounds["accuracy"].iloc[-1]
    phases = [value for name, value in figures.items() if name.startswith("minting_") and name != "minting_time_s"]
    assert sum(phases) == pytest.approx(figures["minting_time_s"])
    assert figures["minting_time_s"] == pytest.approx(result.spans.query("phase == 'minting'")["end_s"].max(), abs=1e-6)
    assert figures["paid_total_money"] == pytest.approx(result.auctions["dao_receipt_money"].sum())
    assert figures["aoi_peak_s"] == result.aoi["age_s"].max()
    # The saw-tooth's area, once more by thin slices.
    grid = np.linspace(0, result.aoi["time_s"].max(), 200_001)
    slices = np.interp(grid, result.aoi["time_s"], result.aoi["age_s"])
    assert figures["aoi_mean_s"] == pytest.approx(slices.mean(), rel=1e-3)


def test_says_whether_money_is_conserved():
    result = episode()
    assert "yes (sum 1,000,000,000 units)" in summary_text(result)
    result.summary["money_issued_units"] += 1
    assert "NO: 1,000,000,001 units issued, 1,000,000,000 found" in summary_text(result)


def test_of_an_empty_run_is_plain_json_and_readable():
    empty = RunResult()
    assert json.loads(json.dumps(summarise(empty), allow_nan=False)) == summarise(empty)
    assert "unknown" in summary_text(empty)


def test_says_which_bids_were_rejected_and_why():
    result = episode()
    assert "rejected" not in summary_text(result)
    result.bids.loc[result.bids.index[:2], ["status", "reason"]] = ["rejected", "replayed nonce"]
    text = summary_text(result)
    rejected = result.bids["reason"].eq("replayed nonce").sum()
    lines = [line.split() for line in text.splitlines()]
    assert ["bids", "rejected", str(rejected)] in lines
    assert ["replayed", "nonce", str(rejected)] in lines


def test_a_long_label_and_its_fact_stay_apart():
    result = episode()
    long = "an-auction-with-a-rather-long-name"
    result.auctions["auction"] = result.bids["auction"] = long
    assert f"  {long} pms-am: 2 of 3 bidders win a licence" in summary_text(result)
