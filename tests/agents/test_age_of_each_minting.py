"""The age of information of every minting's own model, against an integration of the spans alone."""

import numpy as np
import pytest

from flnft_sim import load_scenario, run
from flnft_sim.figures import FIGURES
from flnft_sim.results.summary import mean_ages

QUICK = {"learning.learner": "surrogate", "game.history_auctions": 6}


@pytest.fixture(scope="module")
def three_mintings():
    return run(load_scenario("tiny", overrides=QUICK | {"market.auctions": 3}))


def by_integration(spans, episode):
    """Mean and peak age of one minting's model: each aggregation brings data from the last start of its trainings."""
    own = spans[spans["dao"] == f"dao-0-e{episode}"]
    own = own[own["phase"] != "voting"]
    start_s, end_s = own["start_s"].min(), own.loc[own["phase"] == "minting", "end_s"].max()
    drops = own[own["phase"] == "aggregation"].sort_values("end_s")
    training = own[own["phase"] == "training"].groupby("round")["start_s"].max()
    made_s = np.concatenate([[start_s], training[drops["round"]].to_numpy()])
    cuts_s = np.concatenate([[start_s], drops["end_s"].to_numpy(), [end_s]])
    area = sum(((b - g) ** 2 - (a - g) ** 2) / 2 for a, b, g in zip(cuts_s, cuts_s[1:], made_s, strict=False))
    return area / (end_s - start_s), (cuts_s[1:] - made_s).max(), start_s, end_s


def test_a_new_model_is_not_as_old_as_the_one_before(three_mintings):
    """Two mintings used to be reported as one: a mean of 84.6 s where the second's own was 9.44 s."""
    result = three_mintings
    means = []
    for episode in range(3):
        mean_s, peak_s, start_s, end_s = by_integration(result.spans, episode)
        corners = result.aoi[result.aoi["episode"] == episode]
        assert corners["time_s"].iloc[0] == pytest.approx(start_s) and corners["age_s"].iloc[0] == 0
        assert corners["time_s"].iloc[-1] == pytest.approx(end_s)
        assert mean_ages(corners)["dao-0"] == pytest.approx(mean_s)
        assert corners["age_s"].max() == pytest.approx(peak_s)
        means.append(mean_s)
    assert result.summary["aoi_mean_s"] == pytest.approx(np.mean(means))
    assert result.summary["aoi_peak_s"] == pytest.approx(max(by_integration(result.spans, e)[1] for e in range(3)))
    assert result.summary["aoi_peak_s"] < (result.aoi["time_s"].max() - result.aoi["time_s"].min()) / 5


def test_a_round_of_a_later_minting_is_as_old_as_one_of_the_first(three_mintings):
    rounds = three_mintings.rounds
    first = rounds[rounds["round"] == 1]
    lengths_s = (first["end_s"] - first["start_s"]).to_numpy()
    np.testing.assert_allclose(first["aoi_mean_s"], lengths_s / 2)  # from 0 to the round's length, in a straight line


def test_the_figure_joins_no_two_mintings(three_mintings):
    figure = FIGURES.get("age")(three_mintings)
    [axes] = figure.axes
    lines = [line for line in axes.get_lines() if line.get_linestyle() == "-"]
    assert len(lines) == 3
    for line, (_, corners) in zip(lines, three_mintings.aoi.groupby("episode"), strict=True):
        assert line.get_xdata().tolist() == corners["time_s"].tolist()


def test_what_an_interrupted_minting_has_reached_is_told_until_now():
    from flnft_sim import FlnftModel

    model = FlnftModel(load_scenario("tiny", overrides=QUICK | {"market.auctions": 2}))
    while not (model.episode == 1 and len(model.world.records.rounds) == 5):
        model.env.step()
    aoi = model.result().aoi
    assert aoi["time_s"].iloc[-1] == model.env.now
    assert aoi["episode"].unique().tolist() == [0, 1]
