"""What Solara serves: the live page of a scenario, or the playback page of runs.

Solara imports its app by name, so what to show comes through the environment (see `server.serve`).
"""

import os
from functools import cache
from pathlib import Path

import solara

from flnft_sim.scenario import Scenario
from flnft_sim.viz.live_page import LivePage
from flnft_sim.viz.playback import Playback
from flnft_sim.viz.playback_page import PlaybackPage
from flnft_sim.viz.server import RUNS, SCENARIO


@cache
def playback_of(folder: str) -> Playback:
    """The playback of a run's folder, read once; sessions share it, for nothing in it changes."""
    return Playback.load(Path(folder))


@solara.component
def Page() -> None:
    """The one page."""
    solara.Title("FL-NFT market")
    folders = os.environ.get(RUNS)
    if folders:
        PlaybackPage([playback_of(folder) for folder in folders.split(os.pathsep)])
    else:
        LivePage(Scenario.model_validate_json(os.environ[SCENARIO]))
