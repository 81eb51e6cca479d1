"""How agents decide: the three questions that a run asks them, and the answers by the book.

A policy that answers otherwise may take its time: each answer is a process, which can wait for an event.
"""

from collections.abc import Generator
from typing import Any

import simpy

from flnft_sim.agents.decision import Agreement
from flnft_sim.game import DecisionProblem

Process = Generator[simpy.Event, Any, Any]


class Policy:
    """Everybody plays by the book: best responses, and the bid that they come to."""

    def announce(self, dao: int, problem: DecisionProblem) -> Process:
        """Before a decision: return the problem, with `insisted` prices where a provider will not move."""
        del dao
        yield from ()
        return problem

    def answer(self, dao: int, agreement: Agreement) -> Process:
        """After an agreement: return the members' `Answers`."""
        del dao
        yield from ()
        return agreement.answers

    def bid(self, provider: int, money: float) -> Process:
        """In an auction: return what the provider bids, `money` being what its prices come to."""
        del provider
        yield from ()
        return money
