"""A simulator of markets for federated-learning models that are minted as NFTs and sold by sealed-bid auction.

One call runs a scenario; what comes back are its summary and its tables::

    from flnft_sim import load_scenario, run
    result = run(load_scenario("roblox10"))
    result.summary, result.rounds, result.users, result.bids, result.auctions, result.spans
"""

TYPE_CHECKING = False  # as that of `typing`, whose import takes milliseconds in which a Ctrl-C may come
if TYPE_CHECKING:
    from typing import Any

    from flnft_sim.results import RunResult
    from flnft_sim.scenario import Scenario, load_scenario
    from flnft_sim.simulation import FlnftModel, run
    from flnft_sim.sweeps import sweep

    __version__: str

__all__ = ["FlnftModel", "RunResult", "Scenario", "__version__", "load_scenario", "run", "sweep"]

_HOMES = {
    "FlnftModel": "simulation",
    "RunResult": "results",
    "Scenario": "scenario",
    "load_scenario": "scenario",
    "run": "simulation",
    "sweep": "sweeps",
}


def __getattr__(name: str) -> "Any":
    """Import a public name when it is first used: PyTorch and Mesa take seconds, and not every use needs them."""
    if name == "__version__":
        from flnft_sim.machine import version

        return version()
    if name not in _HOMES:
        raise AttributeError(f"module 'flnft_sim' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"flnft_sim.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names, imported or not: what completion offers."""
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
