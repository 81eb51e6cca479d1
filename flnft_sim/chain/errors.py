"""What a chain answers when it does not do what was asked."""

from typing import Any

from flnft_sim.errors import FlnftError, InputError


class TransactionRefused(InputError):
    """A transaction that no block can hold: its chain, nonce, funds, gas or signature do not fit."""


class NodeError(InputError):
    """A node that cannot be reached, is on another chain, or lacks what is asked of it."""


class NodeRefusal(NodeError):
    """A node that answers a question with an error."""


class ContractRevert(FlnftError):
    """A call that the contract answered with an error: its `name`, and what it says, in `values`."""

    def __init__(self, name: str, values: tuple[Any, ...] = (), receipt: Any = None) -> None:
        super().__init__(name, values)
        self.name, self.values, self.receipt = name, tuple(values), receipt

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.values))})"
