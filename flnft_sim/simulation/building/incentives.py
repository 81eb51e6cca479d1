"""Build what moves users."""

from flnft_sim.game.incentives import Incentives
from flnft_sim.game.incentives.base import THE_PAPERS
from flnft_sim.scenario import Scenario


def build_incentives(settings: Scenario) -> Incentives | None:
    """The scenario's utility, cost and reward; None where all are the paper's, whose answers have a closed form."""
    game = settings.game
    names = {family: getattr(game, family) for family in THE_PAPERS}
    if names == THE_PAPERS:
        return None
    return Incentives.chosen(names, {family: game.told(family) for family in names})
