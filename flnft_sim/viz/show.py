"""What a page can show and move in time: a model that runs, or a run that is played back."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from flnft_sim.viz.scene import Scene, Span


class Jump(StrEnum):
    """Where to go at once."""

    PHASE = "next phase"
    ROUND = "next round"
    AUCTION = "to the auction"
    END = "to the end"


class Show(Protocol):
    """A story on a clock, seen by one browser session."""

    @property
    def name(self) -> str:
        """What it is a story of."""
        ...

    @property
    def end_s(self) -> float | None:
        """When it ends, None where nobody knows yet: then it cannot go back either."""
        ...

    @property
    def step_s(self) -> float:
        """Simulated seconds of a step."""
        ...

    @property
    def now_s(self) -> float:
        """The clock."""
        ...

    @property
    def finished(self) -> bool:
        """Whether the story is over."""
        ...

    def go_to(self, time_s: float) -> None:
        """Go to that time, at most to the end."""
        ...

    def aim(self, jump: Jump) -> None:
        """Choose where `pursue` leads."""
        ...

    def pursue(self, budget_s: float) -> bool:
        """Come nearer to what was aimed at, for about so many seconds of wall time; whether it is reached."""
        ...

    def scene(self) -> Scene:
        """What is to be seen now."""
        ...

    def facts(self, name: str) -> dict[str, str]:
        """What there is to know of one agent, by label."""
        ...

    def spans(self, first: int) -> Sequence[Span]:
        """The `first`-th span and all after it, in the order of their ends; of a playback, future ones too."""
        ...

    def present(self) -> Sequence[Span]:
        """What agents are in the midst of; empty where `spans` tell it."""
        ...
