"""One agent that learns among others who play by the book, as Gymnasium's `Env`."""

from pathlib import Path
from typing import Any

import gymnasium

from flnft_sim.arrays import Floats
from flnft_sim.env.market import Agents, MarketEnv, Per, Reward, market_env
from flnft_sim.scenario import Scenario


class OneAgentEnv(gymnasium.Env):
    """The market as its one learning agent meets it."""

    def __init__(self, market: MarketEnv) -> None:
        [self.agent] = market.possible_agents
        self.market = market
        self.metadata = market.metadata
        self.observation_space = market.observation_space(self.agent)
        self.action_space = market.action_space(self.agent)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Floats, dict[str, Any]]:
        """Begin a market."""
        super().reset(seed=seed)
        views, infos = self.market.reset(seed, options)
        return views[self.agent], infos[self.agent]

    def step(self, action: Floats) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """Act, and go on to the next question."""
        views, rewards, over, cut, infos = self.market.step({self.agent: action})
        return views[self.agent], rewards[self.agent], over[self.agent], cut[self.agent], infos[self.agent]


def one_agent_env(
    scenario: str | Path | Scenario = "market",
    agent: str = "provider-0",
    *,
    per: Per = "auction",
    reward: Reward = "cash",
) -> OneAgentEnv:
    """Make an environment in which one provider or user learns; `per` and `reward` as for `market_env`."""
    kind: Agents = "users" if agent.startswith("user") else "providers"
    return OneAgentEnv(market_env(scenario, agents=kind, per=per, reward=reward, learners=[agent]))
