"""The floor under every page on SolaraViz: a model that does nothing, with its step shown. Served by `viz`."""

import mesa
import solara
from mesa.visualization import SolaraViz
from mesa.visualization.utils import update_counter


class Nothing(mesa.Model):
    """A model whose step is free."""

    def __init__(self, *, rng: int = 0) -> None:
        super().__init__(rng=rng)

    def step(self) -> None:
        """Do nothing."""


@solara.component
def Clock(model: Nothing) -> None:
    """The number of steps."""
    update_counter.get()
    solara.HTML(tag="b", unsafe_innerHTML=f"{model.steps}", attributes={"id": "clock"})


@solara.component
def Page() -> None:
    """Mesa's page around it."""
    model = solara.use_memo(Nothing, [])
    SolaraViz(model, components=[(Clock, 0)], model_params={"rng": 0}, name="nothing")
