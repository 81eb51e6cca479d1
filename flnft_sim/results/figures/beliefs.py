"""What providers believed of their rivals, against what these bid."""

from matplotlib.figure import Figure

from flnft_sim.results.figures.registry import FIGURES
from flnft_sim.results.figures.style import finish, new_figure
from flnft_sim.results.forecast import forecast_quality, rivals_foreseen
from flnft_sim.results.palette import series_colour
from flnft_sim.results.run_result import RunResult

_NAMED_PROVIDERS = 10


@FIGURES.register("beliefs")
def beliefs(result: RunResult) -> Figure | None:
    """Each provider's predicted sum of its rivals' first bids against the real one; on the diagonal they agree."""
    bids = rivals_foreseen(result.bids)
    quality = forecast_quality(bids)
    if quality is None:
        return None
    real, predicted = bids["real_rivals_money"], bids["predicted_rivals_money"]
    figure, [axes] = new_figure(width=6.5, height=6)
    providers = sorted(bids["provider"].unique())
    for number, provider in enumerate(providers):
        own = bids["provider"] == provider
        axes.scatter(
            real[own], predicted[own], color=series_colour(number), label=provider, s=45, alpha=0.8, edgecolor="white"
        )
    top = 1.05 * max(real.max(), predicted.max()) or 1.0
    axes.plot([0, top], [0, top], color="black", linewidth=1, linestyle=":")
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.set_aspect("equal")
    finish(
        axes,
        title=f"Bids predicted and real: {quality.correlation}",
        x="rivals' bids together, real (money)",
        y="the same, predicted (money)",
        legend=len(providers) <= _NAMED_PROVIDERS,
        note=f"{quality.errors} (money); {quality.n:,} predictions of what all others bid at first",
    )
    return figure
