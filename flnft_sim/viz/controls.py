"""What can be changed on the page: a few of the scenario's fields, each shown with the scenario's own value."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import solara

from flnft_sim.learning import SCHEMES
from flnft_sim.scenario import Scenario, scenario_names
from flnft_sim.scenario.asks import fitting_rules


@dataclass(frozen=True)
class Knob:
    """A slider over a field of the scenario, or a number to type where `most` is None."""

    field: str
    label: str
    least: float = 0
    most: float | None = None
    step: float = 1

    @property
    def whole(self) -> bool:
        """Whether the field counts something."""
        return self.step == 1


KNOBS = (
    Knob("population.users", "users N", 1, 100),
    Knob("population.providers", "providers M", 1, 40),
    Knob("game.sigma", "σ, fairness", 0.05, 0.95, 0.05),
    Knob("game.quality_elasticity", "e^Q, quality elasticity", 0.05, 0.95, 0.05),
    Knob("game.budget_money", "budget B (money)", step=0.1),
    Knob("public_chain.block_interval_s", "block time (s)", step=0.1),
    Knob("timeline.tick_s", "tick: time of one step (s)", step=0.1),
    Knob("learning.rounds", "FL rounds"),
    Knob("seed", "seed"),
)


def value_of(settings: Scenario, field: str) -> Any:
    """The value of a dotted field."""
    return reduce(getattr, field.split("."), settings)


@solara.component
def ScenarioControls(
    name: str, settings: Scenario, on_scenario: Callable[[str], None], on_field: Callable[[str, Any], None]
) -> None:
    """Inputs for the scenario and its fields; `on_field(field, value)` is told of every change."""
    names = scenario_names()
    solara.Select("scenario", values=names if name in names else [name, *names], value=name, on_value=on_scenario)
    for field, label, values in (
        ("learning.scheme", "scheme", SCHEMES.names()),
        ("market.rule", "clearing rule", fitting_rules(settings.market.mechanism)),
        ("radio.placement", "placement", ["trace", "random"]),
    ):
        _choice(label, values, value_of(settings, field), partial(on_field, field))
    for knob in KNOBS:
        _knob(knob, value_of(settings, knob.field), partial(on_field, knob.field))


def _choice(label: str, values: list[str], value: str, on_value: Callable[[str], None]) -> None:
    solara.Select(label, values=values, value=value, on_value=on_value, dense=True)


def _knob(knob: Knob, value: Any, on_value: Callable[[Any], None]) -> None:
    if knob.most is None:
        box = solara.InputInt if knob.whole else solara.InputFloat
        box(knob.label, value=value, on_value=on_value, dense=True)
    else:
        most = max(knob.most, value)
        limits: dict[str, Any] = {"min": knob.least, "max": most, "step": knob.step}
        slider = solara.SliderInt if knob.whole else solara.SliderFloat
        slider(f"{knob.label}: {value:g}", value=value, on_value=on_value, **limits)
