"""The market as an environment for agents that learn: PettingZoo's and Gymnasium's interfaces over a real run.

    env = market_env("market", agents="providers", per="auction")
    observations, infos = env.reset(seed=0)
    observations, rewards, terminations, truncations, infos = env.step({name: [0.5] for name in env.agents})

It needs the extra `rl` (pip install 'flnft-sim[rl]').
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from flnft_sim.errors import InputError

if TYPE_CHECKING:
    from flnft_sim.env.market import MarketEnv, market_env
    from flnft_sim.env.single import OneAgentEnv, one_agent_env

__all__ = ["MarketEnv", "OneAgentEnv", "market_env", "one_agent_env"]

_HOMES = {"MarketEnv": "market", "market_env": "market", "OneAgentEnv": "single", "one_agent_env": "single"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is asked for, and say what is missing where the extra is not installed."""
    if name not in _HOMES:
        raise AttributeError(f"module 'flnft_sim.env' has no attribute {name!r}")
    try:
        return getattr(import_module(f"flnft_sim.env.{_HOMES[name]}"), name)
    except ImportError as error:
        raise InputError(f"environments need more packages ({error}); pip install 'flnft-sim[rl]'") from error
