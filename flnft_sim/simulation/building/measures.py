"""Build what measures contributions."""

from typing import Any

from flnft_sim.agents.measures import Measures
from flnft_sim.game.contribution import CONTRIBUTIONS
from flnft_sim.knobs import knobs
from flnft_sim.scenario import Scenario


def build_measures(settings: Scenario) -> Measures:
    """The measure that pays and those beside it; a measure's settings are fields of the section `game`."""
    game = settings.game
    asked = dict.fromkeys(([game.contribution] if game.contribution != "paper" else []) + list(game.measures))
    return Measures(
        pays_by=game.contribution,
        asked=tuple(asked),
        told={name: _told(settings, name) for name in asked},
    )


def _told(settings: Scenario, name: str) -> dict[str, Any]:
    if name == settings.game.contribution:
        return settings.game.told("contribution")
    kind = CONTRIBUTIONS.settings_class(name)
    return (
        {field: getattr(settings.game, field) for field in knobs(kind) if hasattr(settings.game, field)} if kind else {}
    )
