"""Contracts executed: the market's own on an EVM in process or on a node, and an `Evm` for any other.

from flnft_sim.chain import Evm
evm = Evm(fork="london")
token = evm.deploy(bytecode, ["Name", 18], abi=abi)
evm.call(token, "transfer", [evm.accounts[1], 5]).gas_used
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Abi": "abi",
    "BlockEnv": "engine",
    "ChainKey": "keys",
    "ContractRevert": "errors",
    "Evm": "evm",
    "Executed": "engine",
    "FORKS": "forks",
    "NodeError": "errors",
    "Receipt": "evm",
    "TransactionRefused": "errors",
    "artifact": "artifacts",
    "from_wei": "units",
    "to_wei": "units",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: only who executes contracts waits for an engine."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
