"""How well rivals were foreseen: by hand, perfect, shuffled; and what counts as a forecast."""

import numpy as np
import pandas as pd
import pytest
from synthetic_episode import episode

from flnft_sim.figures.run.beliefs import beliefs
from flnft_sim.results import summarise, summary_text
from flnft_sim.results.forecast import ForecastQuality, forecast_quality, rivals_foreseen


def test_by_hand():
    """Told 1, 2, 3 and came 2, 2, 5: r = 3/√12 = √3/2, errors 1, 0, 2; the median 2 is off by 0, 0, 3."""
    quality = ForecastQuality.of(pd.Series([1, 2, 3]), pd.Series([2, 2, 5]))
    assert quality.n == 3
    assert quality.r == pytest.approx(np.sqrt(3) / 2)
    assert (quality.mean_error, quality.constant_error) == (pytest.approx(1.0), pytest.approx(1.0))


def test_shuffled_forecasts_are_worth_nothing_and_it_shows():
    rng = np.random.default_rng(3)
    real = pd.Series(rng.gamma(4.0, 50.0, 4000))
    good = real * rng.uniform(0.9, 1.1, real.size)
    told = ForecastQuality.of(good, real)
    shuffled = ForecastQuality.of(pd.Series(rng.permutation(good)), real)
    assert told.r > 0.95 and told.mean_error < 0.3 * told.constant_error
    assert abs(shuffled.r) < 4 / np.sqrt(real.size)  # four standard deviations of no correlation
    assert shuffled.mean_error > shuffled.constant_error == told.constant_error


def test_no_constant_does_better_than_the_one_in_hindsight():
    real = pd.Series(np.random.default_rng(1).gamma(1.0, 50.0, 101))
    quality = ForecastQuality.of(real, real)
    for constant in np.linspace(0, real.max(), 200):
        assert quality.constant_error <= np.abs(real - constant).mean() + 1e-9
    assert ForecastQuality.of(real * 0 + 7, real).r is None  # who always says the same is not told by r
    assert ForecastQuality.of(real[:0], real[:0]) is None


def test_who_did_not_bid_counts_and_a_rebid_does_not():
    nothing = float("nan")
    bids = pd.DataFrame(
        {
            "auction": ["a", "a", "a", "a", "b"],
            "provider": ["p", "q", "p", "outsider", "p"],
            "status": ["replaced", "no bid", "accepted", "rejected", "accepted"],
            "predicted_rivals_money": [10.0, 20.0, 10.0, nothing, 30.0],
            "real_rivals_money": [12.0, 20.0, 12.0, nothing, 33.0],
        }
    )
    rows = rivals_foreseen(bids)
    assert list(zip(rows["auction"], rows["provider"], strict=True)) == [("a", "p"), ("a", "q"), ("b", "p")]
    assert forecast_quality(bids).mean_error == pytest.approx((2 + 0 + 3) / 3)
    assert forecast_quality(bids.drop(columns="real_rivals_money")) is None


def test_the_figures_title_and_the_summary_say_it():
    result = episode(providers=4)
    quality = forecast_quality(result.bids)
    axes = beliefs(result).axes[0]
    errors = f"off by {quality.mean_error:,.0f} (best constant: {quality.constant_error:,.0f})"
    assert axes.get_title(loc="left") == f"Rivals foreseen: {quality.correlation}, {errors}"
    assert quality.sentence() in " ".join(summary_text(result).split())
    figures = summarise(result)
    assert figures["rivals_forecast_r"] == quality.r
    assert figures["rivals_forecast_error_money"] == quality.mean_error
    assert figures["rivals_constant_error_money"] == quality.constant_error
    result.bids["predicted_rivals_money"] = float("nan")
    assert beliefs(result) is None and summarise(result)["rivals_forecast_r"] is None
