"""A market of many agents that learn, as PettingZoo's `ParallelEnv`."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from gymnasium.spaces import Box
from pettingzoo import ParallelEnv

from flnft_sim.arrays import Floats
from flnft_sim.env.asking import Asking
from flnft_sim.env.views import MOST, PROVIDER, USER
from flnft_sim.errors import InputError, UnknownNameError, shown
from flnft_sim.ledger import from_units
from flnft_sim.scenario import Scenario, load_scenario
from flnft_sim.simulation import FlnftModel

Agents = Literal["providers", "users", "both"]
Per = Literal["auction", "round"]
Reward = Literal["cash", "utility"]


class MarketEnv(ParallelEnv):
    """A scenario's market, on its own clock; a step goes on to the next moment at which an agent is asked.

    Observations are what the agent may see (`flnft_sim.env.views` names each number), actions are between 0 and 1:

    * a provider, per auction: its bid, (1,), as a part of twice its valuation; its budget is the most
    * a provider, per round: what it insists to pay for quality and for freshness, (2,), as parts of its valuation or of
      half its budget; its bid follows from the last round's
    * a user, per auction (kept for the minting) or per round: epochs, as a part of the most (0: stay away), and ε, as a
      part of the way from the lowest to the highest, (2,)

    Rewards come with the step in which they arise. In cash: a licence's worth less its price; what a user is paid less
    what its work cost. By the paper's utility: Ψ of each auction (Eq. 16); of each round its part of Φ (Eq. 14), which
    is of a whole minting. Who is not asked at a moment (`infos[agent]["asked"]`) does not act there.
    """

    def __init__(
        self, scenario: Scenario, *, agents: Agents, per: Per, reward: Reward, learners: Sequence[str] | None = None
    ) -> None:
        self.metadata: dict[str, Any] = {"name": "flnft_market_v0", "render_modes": []}
        self.render_mode = None
        self.scenario, self.per, self.reward = scenario, per, reward
        everyone = _named(scenario, agents)
        for name in learners or ():
            if name not in everyone:
                raise UnknownNameError("agent", name, everyone)
        self.possible_agents = list(learners or everyone)
        self.agents: list[str] = []
        self._seeds = np.random.default_rng(scenario.seed)

    @cache  # noqa: B019 - an environment lives as long as its spaces; PettingZoo wants the same object each time
    def observation_space(self, agent: str) -> Any:
        """What an agent sees: numbers of at least 0."""
        return Box(0.0, MOST, (len(PROVIDER if _is_provider(agent) else USER),), np.float32)

    @cache  # noqa: B019
    def action_space(self, agent: str) -> Any:
        """What an agent does: one or two numbers between 0 and 1."""
        return Box(0.0, 1.0, (1 if _is_provider(agent) and self.per == "auction" else 2,), np.float32)

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Floats], dict[str, dict[str, Any]]]:
        """Begin a market of that seed, or of another one each time; its history is played by the book."""
        del options
        if seed is not None:
            self._seeds = np.random.default_rng(seed)
        self.model = FlnftModel(self.scenario, rng=int(self._seeds.integers(2**53)), spool=None)
        _spare_what_is_there()
        self._asking = Asking(self.model, self.possible_agents, every_round=self.per == "round")
        self.model.world.policy = self._asking
        self.agents = list(self.possible_agents)
        self._views = {name: np.zeros(self.observation_space(name).shape, np.float32) for name in self.agents}
        self._counted = {"auctions": 0, "bids": 0, "users": 0}
        self._addresses = {user.name: user.address for user in self.model.users}
        self._earning = [name for name in self.agents if name in self._addresses]
        self._paid = dict.fromkeys(self._earning, 0.0)
        self._go_on()
        return self._seen(self.agents), self._infos(self.agents)

    def step(self, actions: Mapping[str, Floats]) -> tuple[dict[str, Any], ...]:
        """Tell those who were asked to act, and go on to the next question or to the end."""
        if not self.agents:
            raise InputError("the market is over, or was not begun; reset() begins another")
        asked, self._asking.questions = self._asking.questions, {}
        for name, questions in asked.items():
            action = _valid(actions.get(name), self.action_space(name), name)
            for question in questions:
                question.answered.succeed(action)
        self._go_on()
        taking_part, over = self.agents, self.model.finished
        rewards = self._rewards(taking_part)
        flags = dict.fromkeys(taking_part, over), dict.fromkeys(taking_part, False)
        infos = self._infos(taking_part)
        if over:
            self.agents = []
        return self._seen(taking_part), rewards, *flags, infos

    def _go_on(self) -> None:
        """To the end of the next instant at which somebody is asked."""
        env, asking = self.model.env, self._asking
        self.model.advance(lambda: bool(asking.questions) and env.peek() > env.now)
        for name, questions in asking.questions.items():
            self._views[name] = questions[0].view

    def _seen(self, names: Sequence[str]) -> dict[str, Floats]:
        return {name: self._views[name].copy() for name in names}

    def _infos(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {name: {"asked": name in self._asking.questions} for name in names}

    def _rewards(self, names: Sequence[str]) -> dict[str, float]:
        """What arose since the last step."""
        rewards = dict.fromkeys(names, 0.0)
        for name, gained in self._gains():
            if name in rewards:
                rewards[name] += gained
        for name in self._earning if self.reward == "cash" else ():
            money = from_units(self.model.world.accounts.balances.get(self._addresses[name], 0))
            rewards[name] += money - self._paid[name]
            self._paid[name] = money
        return {name: float(reward) for name, reward in rewards.items()}

    def _gains(self) -> Iterator[tuple[str, float]]:
        """What arose since this was asked last but for what users were paid, by name; rows only where they tell it."""
        records, settled = self.model.world.records, self.model.cast.contract.settled
        if self.reward == "cash":
            for auction in settled[self._counted["auctions"] :]:
                yield from ((auction.buyers[place].name, money) for place, money in auction.gains_money.items())
            self._counted["auctions"] = len(settled)
        else:
            yield from ((bid.provider, bid.provider_utility) for bid in records.bids[self._counted["bids"] :])
            self._counted["bids"] = len(records.bids)
        if self._earning:
            rounds = self.scenario.learning.rounds
            for row in records.users[self._counted["users"] :]:
                yield row.user, -row.cost_round_money if self.reward == "cash" else row.user_utility / rounds
            self._counted["users"] = len(records.users)


@cache
def _spare_what_is_there() -> None:
    """Take what a process has imported, and its first market, out of the garbage collector's sight, once.

    Else the collector looks through all of it every 200 auctions or so, for a tenth of a second.
    """
    gc.freeze()


def market_env(
    scenario: str | Path | Scenario = "market",
    *,
    agents: Agents = "providers",
    per: Per = "auction",
    reward: Reward = "cash",
    learners: Sequence[str] | None = None,
) -> MarketEnv:
    """Make an environment of a scenario, in which providers, users or both learn; `learners` names some of them.

    All others play by the book. Raises `InputError` where users of a crowd, or of a scheme that asks nobody, are to
    learn, for another mechanism than the paper's, and for a word that is none of the choices.
    """
    for what, word, choices in (
        ("agents", agents, ("providers", "users", "both")),
        ("per", per, ("auction", "round")),
        ("reward", reward, ("cash", "utility")),
    ):
        if word not in choices:
            raise InputError(f"{what} = {shown(word)}: choose one of {', '.join(choices)}")
    resolved = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    if resolved.market.mechanism != "paper":
        raise InputError(f"market.mechanism = {resolved.market.mechanism}: agents learn in the mechanism paper alone")
    if agents != "providers" and resolved.population.moves_as_crowd(0):
        raise InputError(f"{resolved.name}: its users move as crowds (population.crowd_from), and none learns alone")
    if agents != "providers" and resolved.learning.scheme != "pms-am":
        raise InputError(f"learning.scheme = {resolved.learning.scheme}: it asks users nothing; use pms-am")
    return MarketEnv(resolved, agents=agents, per=per, reward=reward, learners=learners)


def _named(scenario: Scenario, agents: Agents) -> list[str]:
    providers = [f"provider-{number}" for number in range(scenario.population.providers)]
    users = [f"user-{number}" for number in range(scenario.population.users)]
    return {"providers": providers, "users": users, "both": [*providers, *users]}[agents]


def _is_provider(agent: str) -> bool:
    return agent.startswith("provider")


def _valid(action: Any, space: Any, name: str) -> Floats:
    numbers = np.asarray(action, dtype=np.float64)
    if numbers.shape != space.shape or not np.isfinite(numbers).all():
        raise InputError(f"action of {name} = {shown(action)}: give {space.shape[0]} numbers between 0 and 1")
    return np.clip(numbers, 0.0, 1.0)
