"""Which engine finds decisions, arrays or compiled loops, and why: the same results but for roundings."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from flnft_sim.errors import UnknownNameError
from flnft_sim.game.decision import decide
from flnft_sim.game.loops import MOST_USERS
from flnft_sim.game.problem import DecisionProblem, DecisionStep

ENGINES = ("auto", "arrays", "compiled")
WORTH_STARTING = 300  # decisions: on so many loops save 0.8 s and more; Numba takes 0.5 s to start, and 100 MB


class Decide(Protocol):
    """Finds a decision's end: the first step whose gap is at most `tolerance`, or step number `most_steps`."""

    def __call__(self, problem: DecisionProblem, *, tolerance: float, most_steps: int) -> DecisionStep:
        """Return that step."""


@dataclass(frozen=True)
class GameEngine:
    """The engine chosen, and why, in words for the summary."""

    name: str = "arrays"  # or "compiled"
    reason: str = "asked for"

    @cached_property
    def decide(self) -> Decide:
        """How decisions are found; loops are compiled, or loaded, when this is first asked for."""
        if self.name == "arrays":
            return decide
        from flnft_sim.game.loops import engine

        engine.warm_up()
        return engine.decide


def choose_game_engine(asked: str = "auto", *, decisions: int, users: int, closed_form: bool = True) -> GameEngine:
    """Choose for a run of so many decisions, of so many users each: loops where many are small and have a closed form.

    What is asked for is taken, but loops leave to arrays each decision that they do not serve.
    """
    if asked not in ENGINES:
        raise UnknownNameError("engine", asked, ENGINES)
    if asked != "auto":
        return GameEngine(asked)
    if not closed_form:
        return GameEngine("arrays", "answers are found numerically or step by step")
    if decisions == 0:
        return GameEngine("arrays", "no decisions")
    if users > MOST_USERS:
        return GameEngine("arrays", f"{users:,} users at a time")
    if decisions < WORTH_STARTING:
        return GameEngine("arrays", f"no more than {decisions:,} decisions")
    return GameEngine("compiled", f"{decisions:,} decisions of up to {users:,} users")
