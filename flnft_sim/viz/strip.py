"""The timeline across the page: lanes, and who does what when in them."""

from collections.abc import Iterable, Sequence
from typing import Any

from flnft_sim.results.phase import Phase
from flnft_sim.viz.scene import EVERY_DAO, Scene, Span

USERS_SHOWN = 12
PHASES = [phase.value for phase in Phase]
_RESOLUTION = 1500  # of a whole run: what is shorter than one part in so many is drawn only where there is room


class Strip:
    """Lanes of one choice of DAO: each DAO, a few of its users, all providers together, the contract.

    `rows` are drawn spans, [lane, phase, start, end], the phase by its place in `PHASES`.
    """

    def __init__(self, scene: Scene, dao: str) -> None:
        daos = [name for name in scene.daos if dao in (EVERY_DAO, name)][:USERS_SHOWN]
        users = [] if len(daos) > 1 else [u for u, of in scene.members.items() if of in daos][:USERS_SHOWN]
        self.lanes = [*daos, *users, "providers", "contract-0"]
        self._lane = {name: number for number, name in enumerate(self.lanes)}
        providers = self._lane["providers"]
        self._lane |= {figure.name: providers for figure in scene.figures if figure.role == "provider"}
        if not users:  # their work is shown as their DAO's
            self._lane |= {user: self._lane[of] for user, of in scene.members.items() if of in self._lane}

    def rows(self, spans: Iterable[Span], *, end_s: float | None = None) -> list[list[Any]]:
        """What to draw of spans; of a whole run, which ends at `end_s`, no more than can be seen."""
        least_s = -float("inf") if end_s is None else end_s / _RESOLUTION
        covered_s = [-1.0] * len(self.lanes)
        rows = []
        ordered: Sequence[Span] = sorted(spans, key=lambda span: span.start_s) if end_s is not None else list(spans)
        for span in ordered:
            lane = self._lane.get(span.agent)
            if lane is None or span.end_s - covered_s[lane] < least_s:
                continue
            covered_s[lane] = span.end_s
            if span.phase in PHASES:
                rows.append([lane, PHASES.index(span.phase), round(span.start_s, 4), round(span.end_s, 4)])
        return rows
