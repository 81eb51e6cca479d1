"""The simulation: a Mesa model whose clock is SimPy's. The story of a run reads top to bottom in `FlnftModel`."""

import logging
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, NoReturn, cast

import mesa
import numpy as np
import simpy

from flnft_sim.agents.actor import Actor
from flnft_sim.agents.contract.auction import Auction
from flnft_sim.agents.dao.dao import MuDao
from flnft_sim.agents.provider import ServiceProvider
from flnft_sim.agents.user import MetaverseUser
from flnft_sim.errors import FlnftError, InputError, shown
from flnft_sim.imports import bring_in
from flnft_sim.ledger import from_units
from flnft_sim.progress import RunProgress
from flnft_sim.results import RunResult
from flnft_sim.scenario import Scenario, load_scenario, with_fields
from flnft_sim.simulation.building import build_cast
from flnft_sim.simulation.foresight import foresee
from flnft_sim.simulation.harvest import harvest
from flnft_sim.simulation.history import play_history
from flnft_sim.spool import Spool

Row = dict[str, Any]

_log = logging.getLogger(__name__)

TELL_EVERY_S = 20.0  # of wall time between two words on what a run waits for
EVENTS_A_LOOK = 1024
MOST_REPORTED = 1000  # agents of a model whose agents the data collector reports
_SCENARIOS_OWN: Any = object()  # stands for the seed that the scenario says
_ITS_OWN: Any = object()  # stands for a spool among the system's temporary files


class TimelineStuck(FlnftError):
    """Nothing is left to happen, but the story is not over; the sentence names who waits for what."""


class TimelineTooLong(FlnftError):
    """The story is not over at `timeline.longest_s`; the sentence names who waits for what."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in a run: `result` holds what was finished."""

    def __init__(self, result: RunResult) -> None:
        super().__init__("interrupted")
        self.result = result


class FlnftModel(mesa.Model):
    """A market on a clock. One `step()` is `timeline.tick_s` simulated seconds; `run()` goes to the end.

    An ordinary Mesa model: it works with `mesa.batch_run`, has a `datacollector`, and its agents are Mesa agents.
    `settings` is the resolved scenario (Mesa owns the name `scenario`); fields can be set by keyword with two
    underscores for the dot (`game__sigma=0.6`). `on_round` is told of every finished FL round (a row of the table
    `rounds`), `on_wait` every 20 s of wall time who is waiting for what.

    Without `rng` the seed is the scenario's. `rng` is a seed in any of Mesa's forms; None, which `mesa.batch_run`
    passes for `iterations=n`, is a fresh seed each time, as in every Mesa model: `mesa.batch_run(…, rng=range(n))`
    makes runs that can be repeated. The reporter `seed` says which seed a row had. Every agent is reported, too (name,
    role, activity, balance), so that a batch run has a row an agent, as in every Mesa model with agent reporters; in a
    model of more than `MOST_REPORTED` agents none is, for every step would keep a row of each.

    What is over is put aside on the disk, in a file without a name, so that memory does not grow with auctions: in a
    `spool` of one's own, or with None nowhere, which spares the time of who asks for no result.
    """

    def __init__(
        self,
        scenario: str | Path | Scenario = "tiny",
        *,
        rng: Any = _SCENARIOS_OWN,
        on_round: Callable[[Row], None] | None = None,
        on_wait: Callable[[str], None] | None = None,
        spool: Spool | None = _ITS_OWN,
        **fields: Any,
    ) -> None:
        own = rng is _SCENARIOS_OWN or (rng is None and "seed" in fields)
        settings = _resolved(scenario, seed=None if own else _seed(rng), fields=fields)
        for part in settings.imports:
            bring_in(part.file, part.sha256)  # as they were when the scenario was resolved
        super().__init__(rng=settings.seed % 2**32)
        self.settings = settings
        self._started_at = self._told_at = time.monotonic()
        self._events, self._on_wait = 0, on_wait
        self.episode = -1
        self.cast = build_cast(self, settings, on_round, Spool() if spool is _ITS_OWN else spool)
        self.world, self.env = self.cast.world, self.cast.world.env
        foresee(self.cast)
        play_history(self.cast, settings.game.history_auctions)
        self._story = self.env.process(self._tell())
        told = AGENT_REPORTERS if len(self.agents) <= MOST_REPORTED else None
        self.datacollector = mesa.DataCollector(model_reporters=REPORTERS, agent_reporters=told)

    # ---- the story ------------------------------------------------------------------------------------------------

    def _tell(self) -> Generator[simpy.Event, Any, None]:
        """Episode after episode: demand moves on, then everybody does what the mechanism says."""
        cast, env = self.cast, self.env
        env.process(self._disturb())
        for episode in range(self.settings.market.auctions):
            self.episode = episode
            cast.next_demand()
            yield from cast.mechanism.hold_episode(episode)
        cast.mechanism.phase = "access"
        yield cast.contract.access.all_served()
        cast.mechanism.phase = "finished"
        _log.debug("finished at %.3f s", env.now)

    def _disturb(self) -> Generator[simpy.Event, Any, None]:
        """The failures that strike at a time of their own."""
        env, settings = self.env, self.settings
        crash_s, stall_s = settings.private_ledger.primary_crash_s, settings.public_chain.stall_at_s
        if crash_s is not None:
            env.process(self._crash_primaries(crash_s))
        if stall_s is not None:
            yield env.timeout(stall_s)
            self.world.public_chain.stall()
            yield env.timeout(settings.public_chain.stall_for_s)
            self.world.public_chain.resume()

    def _crash_primaries(self, at_s: float) -> Generator[simpy.Event, Any, None]:
        yield self.env.timeout(at_s)
        for dao in self.daos:
            if dao.ledger.consensus.can_crash:
                dao.ledger.consensus.crash(dao.ledger.consensus.primary)

    # ---- the clock ------------------------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether the story is over."""
        return not self._story.is_alive

    @property
    def clock_s(self) -> float:
        """Simulated seconds since the first episode began."""
        return max(float(self.env.now), min(self.time * self.settings.timeline.tick_s, self._end_s))

    @property
    def _end_s(self) -> float:
        return float(self.env.now) if self.finished else float("inf")

    def step(self) -> None:
        """Advance the clock by one tick, and collect."""
        self._advance_to(self.time * self.settings.timeline.tick_s)
        self.running = not self.finished
        self.datacollector.collect(self)

    def run(self, until_s: float = float("inf")) -> None:
        """Go to the end of the story, or until all that happens up to `until_s` has happened."""
        self._advance_to(until_s)
        self.running = False
        self.datacollector.collect(self)

    def advance(self, until: Callable[[], bool]) -> None:
        """Go on until `until()` holds, which is asked before every event, or to the end of the story."""
        self._advance_to(float("inf"), until)

    def _advance_to(self, time_s: float, until: Callable[[], bool] | None = None) -> None:
        """Process every event up to and including `time_s` (SimPy's own `run(until)` leaves out those at it)."""
        story, peek, step = self._story, self.env.peek, self.env.step  # asked for at every event of a run
        known_s = min(time_s, self.settings.timeline.longest_s)
        while story.is_alive and (until is None or not until()):
            if (next_s := peek()) > known_s:
                if next_s > time_s:
                    break
                self._refuse_to_wait_until(next_s)
            step()
            self._events += 1
            if self._events % EVENTS_A_LOOK == 0:
                self._tell_of_waiting()
        if self.finished and not story.ok:
            raise cast(BaseException, story.value)

    def _refuse_to_wait_until(self, next_s: float) -> NoReturn:
        """Say why the story cannot go on where its next event is too late, or none is left."""
        if next_s == float("inf"):
            raise TimelineStuck(
                f"the timeline stands still at {self.env.now:.3f} s in {self.doing}: nothing is left to happen, "
                f"and still waiting are: {self.waiting()}; look at the failures section"
            )
        raise TimelineTooLong(
            f"the run is not over at timeline.longest_s = {self.settings.timeline.longest_s:g} s: the next thing to "
            f"happen, in {self.doing}, would be at {next_s:.6g} s; waiting are: {self.waiting()}; allow more, or make "
            "what they wait for faster"
        )

    def _tell_of_waiting(self) -> None:
        """Tell what the run is waiting for, if the last word on it is a while ago in wall time."""
        if self._on_wait is None:
            return
        now = time.monotonic()
        if now - self._told_at > TELL_EVERY_S:
            self._told_at = now
            self._on_wait(f"{self.doing} at {self.env.now:,.0f} s, waiting are: {self.waiting()}")

    @property
    def phase(self) -> str:
        """What the whole market is doing, in the mechanism's words."""
        return self.cast.mechanism.phase

    @property
    def doing(self) -> str:
        """Episode and phase in words."""
        return f"episode {self.episode}, {self.phase}"

    def waiting(self) -> str:
        """Who is in the middle of what, in words."""
        waiting = [f"{agent.name} ({agent.activity})" for agent in self.agents if agent.activity != "idle"]
        return ", ".join(waiting[:10]) + (f" and {len(waiting) - 10} more" if len(waiting) > 10 else "") or "nobody"

    # ---- what can be seen from outside ------------------------------------------------------------------------------

    @property
    def users(self) -> list[MetaverseUser]:
        """All users, by number."""
        return sorted(self.agents_by_type.get(MetaverseUser, ()), key=lambda user: user.number)

    @property
    def providers(self) -> list[ServiceProvider]:
        """All providers, by number."""
        return self.cast.providers

    @property
    def daos(self) -> list[MuDao]:
        """All DAOs, by number."""
        return self.cast.daos

    @property
    def auctions(self) -> list[Auction]:
        """All auctions so far, the latest last."""
        return self.cast.contract.auctions

    def last_round(self, column: str) -> float:
        """The newest value of a column of the table `rounds`, NaN before the first round."""
        rounds = self.world.records.rounds
        return float(getattr(rounds[-1], column)) if rounds else float("nan")

    def result(self, *, status: str = "finished", error: str | None = None) -> RunResult:
        """Everything the run has left so far; the manifest keeps the status, and the sentence of an `error`."""
        return harvest(self.cast, status=status, error=error, wall_s=time.monotonic() - self._started_at)


REPORTERS: dict[str, Callable[[FlnftModel], Any]] = {
    "seed": lambda model: model.settings.seed,
    "clock_s": lambda model: model.clock_s,
    "episode": lambda model: model.episode,
    "phase": lambda model: model.phase,
    "round": lambda model: model.last_round("round"),
    "accuracy": lambda model: model.last_round("accuracy"),
    "loss": lambda model: model.last_round("loss"),
    "aoi_mean_s": lambda model: model.last_round("aoi_mean_s"),
    "reward_announced_money": lambda model: model.last_round("reward_announced_money"),
    "mempool": lambda model: model.world.public_chain.mempool_size,
}

AGENT_REPORTERS: dict[str, Callable[[Actor], Any]] = {
    "name": lambda agent: agent.name,
    "role": lambda agent: agent.role,
    "activity": lambda agent: agent.activity,
    "balance_money": lambda agent: from_units(agent.world.accounts.balances.get(agent.address, 0)),
}


def run(
    scenario: Scenario | str | Path = "roblox10",
    *,
    seed: int | None = None,
    progress: bool | Callable[[Row], None] | None = None,
) -> RunResult:
    """Run a scenario to its end.

    `progress=True` shows how far it is: a bar in a notebook and on a terminal, a line now and then elsewhere. A
    function is told of every finished FL round instead (a row of the table `rounds`).

    Ctrl-C raises `Interrupted`, a KeyboardInterrupt whose `result` holds what was finished.
    """
    settings = _resolved(scenario, seed=None if seed is None else _seed(seed), fields={})
    if callable(progress):
        return _run(settings, on_round=progress)
    with RunProgress(settings.name, settings.fl_rounds, enabled=bool(progress)) as shown_progress:
        return _run(settings, on_round=shown_progress, on_wait=shown_progress.waiting)


def _run(settings: Scenario, **told: Any) -> RunResult:
    model = FlnftModel(settings, **told)
    try:
        model.run()
    except KeyboardInterrupt:
        raise Interrupted(model.result(status="interrupted")) from None
    return model.result()


def _seed(rng: Any) -> Any:
    """The scenario's seed for one of Mesa's: a number as it is; None, sequences of numbers and `SeedSequence` mixed.

    Mixed to 53 bits, which every reader of a manifest keeps exactly.
    """
    if isinstance(rng, int | np.integer | float | str):
        return rng  # the schema says what it thinks of it
    try:
        mixed = rng if isinstance(rng, np.random.SeedSequence) else np.random.SeedSequence(rng)
    except (TypeError, ValueError):
        raise InputError(
            f"rng = {shown(rng)}: give a whole number, a sequence of them, a SeedSequence or None"
        ) from None
    return int(mixed.generate_state(1, np.uint64)[0] >> np.uint64(11))


def _resolved(scenario: str | Path | Scenario, *, seed: int | None, fields: dict[str, Any]) -> Scenario:
    overrides = {name.replace("__", "."): value for name, value in fields.items()}
    if not isinstance(scenario, Scenario):
        return load_scenario(scenario, overrides=overrides, seed=seed)
    return with_fields(scenario, overrides | ({} if seed is None else {"seed": seed}))
