"""Build what finds decisions, by how many a scenario will hold."""

from flnft_sim import families
from flnft_sim.game.engines import GameEngine, choose_game_engine
from flnft_sim.game.incentives.base import THE_PAPERS
from flnft_sim.scenario import Scenario


def build_game_engine(settings: Scenario) -> GameEngine:
    """The engine that the scenario names, or the one that it is worth to start for it."""
    game, population = settings.game, settings.population
    papers = all(getattr(game, family) == name for family, name in THE_PAPERS.items())
    return choose_game_engine(
        game.engine,
        decisions=_decisions(settings),
        users=-(-population.users // population.daos),
        closed_form=papers and game.damping is None and game.leadership == "simultaneous",
    )


def _decisions(settings: Scenario) -> int:
    """How many decisions the run holds: none where users contest a pot."""
    if settings.market.mechanism != "paper":
        return 0
    rounds = settings.learning.rounds if families.SCHEMES.get(settings.learning.scheme).plays_game else 0
    return settings.population.daos * (settings.game.history_auctions + settings.market.auctions * rounds)
