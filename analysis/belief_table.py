"""What each kind of belief is worth in the markets `market` and `market-cyclic`: the tables of docs/results.md.

    python -m analysis.belief_table [--seeds 10] [--categories 4] [--out docs/results]

writes belief-table.csv, belief-stability.csv and belief-rivals.csv: means over seeds and half-widths of their 95 %
intervals (Student's t). Four categories of ten providers each, 60 auctions of history and 40 measured, on the market
without a clock. The third is about sums over rivals, which is what bids answer.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student

from flnft_sim.experiments.belief_market import TrialMarket, TrialPlay, play_market, trial_market
from flnft_sim.experiments.belief_scores import log_loss
from flnft_sim.files import write_atomic
from flnft_sim.game import BidBelief, rival_sums
from flnft_sim.results.forecast import ForecastQuality
from flnft_sim.scenario import load_scenario
from flnft_sim.streams import Streams

KINDS = ("last", "mean", "ewma", "ar1", "markov", "hmm", "hmm-mode", "blend")
OTHERS = "ewma"  # what everybody else plays where one player differs
ALIKE = "everyone alike"
DAMPED = ("last", "ewma", "hmm", "blend")
CROWDS = (2, 3, 5, 10, 20)
MEASURED = ("mae_money", "log_loss", "oracle_share")
RIVALS = ("r", "error_money", "constant_error_money")


def measures(plays: list[TrialPlay], possible: list[TrialPlay], market: TrialMarket, who: slice) -> dict[str, float]:
    """Error and log-loss of the first player's kind, and what `who` earned as a share of what was possible."""
    late = slice(market.history, None)
    earned = sum(play.utilities[late, who].sum() for play in plays)
    return {
        "mae_money": float(np.mean([np.abs(play.forecasts - play.money)[late].mean() for play in plays])),
        "log_loss": float(np.mean([log_loss(play.foretold, play.money, market.history) for play in plays])),
        "oracle_share": float(earned / sum(play.utilities[late, who].sum() for play in possible)),
    }


def rows_of_seed(
    name: str, market: TrialMarket, kinds: Iterable[str], seed: int, way: str, categories: int
) -> list[dict]:
    """One row a kind; common random numbers across kinds, `categories` markets a seed."""
    seeds = [Streams(seed).integer("category", category) for category in range(categories)]
    alike = way == ALIKE

    def plays(kind: str) -> list[TrialPlay]:
        players = [kind] * market.providers if alike else [kind] + [OTHERS] * (market.providers - 1)
        return [play_market(market, players, seed=s) for s in seeds]

    who, possible = slice(None) if alike else slice(0, 1), plays("oracle")
    about = {"market": name, "play": way, "seed": seed}
    return [about | {"kind": kind} | measures(plays(kind), possible, market, who) for kind in kinds]


def with_intervals(rows: list[dict], by: list[str], measures: Iterable[str] = MEASURED) -> pd.DataFrame:
    """Mean and 95 % half-width over seeds of every measure."""
    grouped, measured = pd.DataFrame(rows).groupby(by, sort=False), list(measures)
    mean, spread, count = grouped[measured].mean(), grouped[measured].std(ddof=1), grouped.size()
    half = spread.mul(student.ppf(0.975, count - 1) / np.sqrt(count), axis=0)
    table = mean.join(half, rsuffix="_ci95")
    return table.assign(seeds=count).reset_index()


def belief_table(seeds: int, categories: int) -> pd.DataFrame:
    """All kinds in both markets, everyone alike and one among EWMA players."""
    rows = []
    for name in ("market", "market-cyclic"):
        scenario = load_scenario(name)
        for seed in range(seeds):
            for way in (ALIKE, f"one among {OTHERS}"):
                rows += rows_of_seed(name, trial_market(scenario), KINDS, seed, way, categories)
    return with_intervals(rows, ["market", "play", "kind"])


def stability_table(seeds: int) -> pd.DataFrame:
    """Everyone alike in crowds of different sizes: where play becomes unstable."""
    rows = []
    market = trial_market(load_scenario("market"))
    for crowd in CROWDS:
        for seed in range(seeds):
            found = rows_of_seed("market", replace(market, providers=crowd), DAMPED, seed, ALIKE, 1)
            rows += [row | {"providers": crowd} for row in found]
    return with_intervals(rows, ["providers", "kind"])


def rivals_table(seeds: int) -> pd.DataFrame:
    """How well each kind foresees the sum of nine rivals' bids: where nobody answers it, and where all do."""
    market, rows = trial_market(load_scenario("market")), []
    for seed in range(seeds):
        of_category = Streams(seed).integer("category", 0)
        told = play_market(market, ["oracle"] * market.providers, seed=of_category).money
        for kind in KINDS:
            play = play_market(market, [kind] * market.providers, seed=of_category)
            for way, forecasts, money in (
                ("nobody answers", watched(kind, told, market), told),
                ("everyone answers", play.forecasts, play.money),
            ):
                quality = rivals_quality(forecasts[market.history :], money[market.history :])
                values = (quality.r, quality.mean_error, quality.constant_error)
                rows.append({"bids": way, "seed": seed, "kind": kind} | dict(zip(RIVALS, values, strict=True)))
    return with_intervals(rows, ["bids", "kind"], RIVALS)


def watched(kind: str, money: np.ndarray, market: TrialMarket) -> np.ndarray:
    """Expected bids (T, M) of a kind that looks on at `money` (T, M)."""
    beliefs, expected = [BidBelief(kind, **market.belief_options) for _ in range(money.shape[1])], []
    for bids in money:
        expected.append([belief.mean() for belief in beliefs])
        for belief, bid in zip(beliefs, bids, strict=True):
            belief.observe(bid)
    return np.array(expected)


def rivals_quality(forecasts: np.ndarray, money: np.ndarray) -> ForecastQuality:
    """Forecasts (T, M) and bids (T, M) as sums over each provider's rivals."""
    sums = [pd.Series(np.concatenate([rival_sums(row) for row in rows])) for rows in (forecasts, money)]
    quality = ForecastQuality.of(*sums)
    assert quality is not None
    return quality


def main() -> None:
    """Write the tables and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--categories", type=int, default=4, help="markets of ten providers a seed")
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name, table in (
        ("belief-table", belief_table(chosen.seeds, chosen.categories)),
        ("belief-stability", stability_table(chosen.seeds)),
        ("belief-rivals", rivals_table(chosen.seeds)),
    ):
        write_atomic(chosen.out / f"{name}.csv", table.round(4).to_csv(index=False))
        print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
