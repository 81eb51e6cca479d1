"""The widget that the page is: it is sent parts of scenes, and draws them in the browser."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ipyvuetify
import traitlets

from flnft_sim.viz.parts import Parts

_PAGE = Path(__file__).parent / "page"
_ALWAYS = ("more_spans",)  # told once, in pieces, and so never compared
_COMPONENTS = {
    f"flnft-{path.stem}": path.read_text(encoding="utf-8")
    for path in sorted(_PAGE.glob("*.vue"))
    if path.stem != "stage"
}


class Stage(ipyvuetify.VuetifyTemplate):
    """Panes beside one another, under one row of controls. `panes` says how many; parts travel as messages."""

    template_file = (__file__, "page/stage.vue")
    components = traitlets.Dict(default_value=_COMPONENTS).tag(
        sync=True, **ipyvuetify.VuetifyTemplate.class_component_serialization
    )
    panes = traitlets.Int(1).tag(sync=True)
    on_act = traitlets.Callable(None, allow_none=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._sent: dict[tuple[int, str], str] = {}

    def show(self, panes: list[Parts], anew: bool = False) -> None:
        """Send what differs from what was sent before; everything where the page is drawn `anew`."""
        if anew:
            self._sent.clear()
        patches = [self._patch(number, parts) for number, parts in enumerate(panes)]
        self.send({"method": "show", "args": [patches]})

    def _patch(self, pane: int, parts: Mapping[str, Any]) -> Parts:
        patch: Parts = {}
        for name, value in parts.items():
            if name in _ALWAYS:
                if value:
                    patch[name] = value
                continue
            text = json.dumps(value, allow_nan=False)
            if self._sent.get((pane, name)) != text:
                self._sent[pane, name] = text
                patch[name] = value
        return patch

    def vue_act(self, word: Mapping[str, Any]) -> None:
        """The viewer has done something."""
        callback: Callable[[str, Any], None] | None = self.on_act
        if callback is not None:
            callback(str(word.get("what")), word.get("value"))
