"""A running market: the frame of Mesa's SolaraViz, our controls in its sidebar, our stage in the middle."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import solara
import solara.lab
from mesa.visualization import SolaraViz

from flnft_sim.errors import FlnftError
from flnft_sim.scenario import Scenario, load_scenario, with_fields
from flnft_sim.viz.controls import ScenarioControls
from flnft_sim.viz.live import BrowserModel
from flnft_sim.viz.stage_page import StagePage

# Of Mesa's sidebar our card stays: a story on a clock is played by seconds, not by milliseconds a step.
_STYLE = """
.v-navigation-drawer__content > div { display: flex; flex-direction: column; }
.v-navigation-drawer__content > div > .v-sheet:not(.v-card) { display: none !important; }
.v-navigation-drawer { min-width: 300px !important; max-width: 300px; }
.v-navigation-drawer .v-card__text { padding: 4px 14px 10px; }
.v-navigation-drawer .v-card__title { padding: 6px 14px 0; }
"""
_SETTLE_S = 0.3  # a slider that is being dragged changes many times a second: build once it rests


@solara.component
def LivePage(start: Scenario) -> None:
    """The page of one browser session, with a model of its own; where none can be built, the reason."""
    task: solara.lab.Task[[], BrowserModel | FlnftError] = solara.lab.use_task(
        lambda: _built(start), dependencies=[], prefer_threaded=True, raise_error=False
    )
    first = task.value
    if isinstance(first, FlnftError):
        solara.Error(str(first))
    elif first is not None:
        _Session(start, first)
    elif task.error:
        raise task.exception or RuntimeError("no model was built")
    else:
        solara.Text(f"Building the market of {start.name} with {start.population.users:,} users …")


def _built(settings: Scenario) -> BrowserModel | FlnftError:
    try:
        return BrowserModel(settings)
    except FlnftError as error:
        return error


@solara.component
def _Session(start: Scenario, first: BrowserModel) -> None:
    """Controls and stage around the present model, and a new model when a control has changed."""
    model: solara.Reactive[BrowserModel] = solara.use_reactive(first)
    scenario, wanted = solara.use_reactive(start.name), solara.use_reactive(start)
    complaint, built = solara.use_reactive(""), solara.use_ref(start)  # the settings of the present model

    async def rebuild() -> None:
        """Build a model of the wanted settings; where that fails, say why and keep the present one."""
        settings = wanted.value
        if settings is built.current:
            return
        await asyncio.sleep(_SETTLE_S)
        fresh = await asyncio.to_thread(_built, settings)
        if isinstance(fresh, FlnftError):
            complaint.value = str(fresh)
        else:
            built.current = settings
            complaint.value, model.value = "", fresh

    solara.lab.use_task(rebuild, dependencies=[wanted.value])

    def change(field: str, value: Any) -> None:
        try:
            wanted.value = with_fields(wanted.value, {field: value})
            complaint.value = ""
        except FlnftError as error:
            complaint.value = str(error)

    def choose(name: str) -> None:
        scenario.value = name
        wanted.value = start if name == start.name else load_scenario(name, seed=wanted.value.seed)

    def reset() -> Sequence[BrowserModel]:
        fresh = BrowserModel(built.current)
        complaint.value, model.value = "", fresh
        return [fresh]

    with solara.Div(style="display: none"):  # what is inside shows up in the bar and the sidebar
        SolaraViz(
            model,
            components=[],
            model_params={"settings": wanted.value},
            name=f"FL-NFT market: {wanted.value.name}",
        )
        _ScenarioCard(scenario.value, wanted.value, choose, change)
    with solara.Div():
        solara.Style(_STYLE)
        if complaint.value:
            solara.Error(complaint.value)
        StagePage([model.value], reset=reset, on_complaint=complaint.set)


@solara.component
def _ScenarioCard(
    name: str,
    settings: Scenario,
    on_scenario: Callable[[str], None],
    on_field: Callable[[str, Any], None],
) -> None:
    """In the sidebar, in place of Mesa's controls."""
    with solara.Sidebar(), solara.Card("Scenario"):
        ScenarioControls(name, settings, on_scenario, on_field)
