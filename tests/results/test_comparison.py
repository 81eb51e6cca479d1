"""Runs side by side: what differs, and differences paired by seed."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from synthetic_episode import episode

from flnft_sim.errors import InputError
from flnft_sim.results import compare


def a_run(seed, *, sigma=0.5, accuracy=0.9):
    """A finished run with one setting and one figure of its own."""
    result = episode(seed)
    scenario = {"name": f"run-{seed}", "seed": seed, "game": {"sigma": sigma, "weights": [1, 2]}}
    return dataclasses.replace(
        result, manifest=result.manifest | {"scenario": scenario}, summary=result.summary | {"accuracy": accuracy}
    )


def test_the_settings_that_differ_are_named_and_no_others():
    found = a_run(0).compare(a_run(0, sigma=0.6))
    assert found.settings.to_dict("index") == {"game.sigma": {"this": "0.5", "other": "0.6"}}
    assert found.differences.set_index("metric").loc["loss", "mean"] == 0.0
    assert compare({"a": a_run(1), "b": a_run(1)}).settings.empty


def test_differences_are_paired_by_seed():
    rng = np.random.default_rng(0)
    shared, gains = rng.normal(size=4), rng.normal(0.1, 0.01, size=4)
    runs = {f"a{n}": a_run(n, accuracy=x) for n, x in enumerate(shared)}
    runs |= {
        f"b{n}": a_run(n, sigma=0.6, accuracy=x + d)
        for n, (x, d) in reversed(list(enumerate(zip(shared, gains, strict=True))))
    }
    found = compare(runs)
    assert found.groups == {"a0": ["a0", "a1", "a2", "a3"], "b3": ["b3", "b2", "b1", "b0"]}
    row = found.differences.set_index(["group", "metric"]).loc[("b3", "accuracy")]
    interval = stats.ttest_1samp(gains, 0.0).confidence_interval()
    assert (row["n"], row["mean"]) == (4, pytest.approx(gains.mean()))
    assert (row["ci95_low"], row["ci95_high"]) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_groups_without_a_common_seed_have_no_pairs():
    row = (
        compare({"a": a_run(0), "b": a_run(1, sigma=0.6, accuracy=0.7)}).differences.set_index("metric").loc["accuracy"]
    )
    assert row["n"] == 0 and row["mean"] == pytest.approx(-0.2) and np.isnan(row["ci95_low"])


def test_it_shows_itself_and_takes_two():
    found = compare({"<b>": a_run(0), "c": a_run(0, sigma=0.6)})
    assert "game.sigma" in str(found) and "<b>" not in found._repr_html_()
    with pytest.raises(InputError, match="at least two"):
        compare({"a": a_run(0)})
