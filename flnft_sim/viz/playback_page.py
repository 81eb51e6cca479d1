"""Finished runs, replayed from their files, beside one another on one clock."""

from collections.abc import Sequence

import solara
import solara.lab

from flnft_sim.viz.playback import Playback, PlaybackShow
from flnft_sim.viz.stage_page import StagePage


@solara.component
def PlaybackPage(playbacks: Sequence[Playback]) -> None:
    """The page of one browser session: its own instant of shared, unchanging runs."""
    complaint = solara.use_reactive("")

    def from_the_start() -> list[PlaybackShow]:
        return [PlaybackShow(playback) for playback in playbacks]

    shows: list[PlaybackShow] = solara.use_memo(from_the_start, [])
    with solara.AppBar():
        solara.AppBarTitle(f"FL-NFT market: playback of {' and '.join(playback.name for playback in playbacks)}")
        solara.lab.ThemeToggle()
    with solara.Div():
        if complaint.value:
            solara.Error(complaint.value)
        StagePage(shows, reset=from_the_start, on_complaint=complaint.set)
