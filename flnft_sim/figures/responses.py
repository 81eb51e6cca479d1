"""Best-response curves of a decision, with the equilibrium and what was played on them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from flnft_sim.arrays import Floats
from flnft_sim.figures.palette import series_colour
from flnft_sim.figures.style import finish, legend_below
from flnft_sim.game import DecisionProblem, GameReport, provider_best_response, quality_satisfaction, rival_sums

_CURVES = 5  # providers drawn, spread over the valuations


def draw_best_responses(problem: DecisionProblem, report: GameReport) -> Figure:
    """Money a provider best bids against its rivals' money, a panel a dimension; budgets left out.

    A dot is a provider's bid at the equilibrium, which lies on its curve; a cross is what it played on its beliefs
    against what its rivals really bid, which does not unless it believed right.
    """
    figure = Figure(figsize=(10, 5), layout="constrained")
    panels = figure.subplots(1, 2)
    quality = quality_satisfaction(report.equilibrium.step.quality, problem.providers.elasticity_ratio)
    satisfaction = {
        "quality": np.asarray(quality),
        "freshness": np.full(np.shape(quality), report.equilibrium.step.freshness),
    }
    worth = {
        "quality": problem.providers.valuations_quality,
        "freshness": problem.providers.valuations_freshness,
    }
    chosen = _spread(worth["quality"] + worth["freshness"])
    for axes, dimension in zip(panels, satisfaction, strict=True):
        s, v = satisfaction[dimension], worth[dimension]
        points = [
            (marker, rival_sums(price) * s, price * s)
            for marker, price in (
                ("o", getattr(report.equilibrium.step, f"{dimension}_prices")),
                ("x", getattr(report.played.step, f"{dimension}_prices")),
            )
        ]
        reach = 1.05 * max(v[chosen].max(), *(rivals[chosen].max() for _, rivals, _ in points))
        for place, provider in enumerate(chosen):
            colour, money = series_colour(place), np.linspace(0.0, reach, 400)
            if s[provider] > 0:
                best = s[provider] * provider_best_response(
                    money / s[provider], v[provider], s[provider], form=problem.provider_utility
                )
                axes.plot(money, best, color=colour)
            for marker, rivals, own in points:
                axes.plot(rivals[provider], own[provider], marker, color=colour, markersize=9, markeredgewidth=2)
        finish(axes, title=f"Bids for {dimension}", x="rivals' bids together (money)", y="own bid (money)")
        axes.set_xlim(0, reach)
        axes.set_ylim(bottom=0)
    names = [
        Line2D([], [], color=series_colour(place), label=f"provider {provider}")
        for place, provider in enumerate(chosen)
    ]
    figure.suptitle("Best responses: equilibrium (dot), played on beliefs (cross)", fontsize=14)
    legend_below(figure, names)
    return figure


def _spread(valuations: Floats) -> Sequence[int]:
    """At most a handful of providers, from the lowest to the highest valuation."""
    order = np.argsort(valuations, kind="stable")
    places = np.unique(np.linspace(0, order.size - 1, min(_CURVES, order.size)).round().astype(int))
    return order[places].tolist()
