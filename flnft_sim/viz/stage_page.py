"""The stage of one browser session, with the player behind it."""

from collections.abc import Callable, Sequence

import solara

from flnft_sim.viz.player import Player
from flnft_sim.viz.show import Show
from flnft_sim.viz.stage import Stage


@solara.component
def StagePage(
    shows: Sequence[Show], *, reset: Callable[[], Sequence[Show]], on_complaint: Callable[[str], None]
) -> None:
    """Shows beside one another on one clock; other `shows` than last time begin anew, in the same place."""
    player: solara.Reactive[Player | None] = solara.use_reactive(None)

    def act(what: str, value: object) -> None:
        if player.value is not None:
            player.value.do(what, value)

    stage = Stage.element(panes=len(shows), on_act=act)

    def begin() -> Callable[[], None]:
        widget: Stage = solara.get_widget(stage)
        begun = Player(shows, widget.show, reset=reset, fail=on_complaint)
        player.value = begun
        begun.start()
        return begun.close

    def follow() -> None:
        if player.value is not None and [pane.show for pane in player.value.panes] != [*shows]:
            player.value.replace(shows)

    solara.use_effect(begin, [])
    solara.use_effect(follow, [*map(id, shows)])
