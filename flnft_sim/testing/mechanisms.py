"""The contract every mechanism keeps; a mechanism of your own inherits its tests:

class TestMyMechanism(MechanismContract):
    mechanism = "my-mechanism"
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from flnft_sim.scenario import load_scenario
from flnft_sim.simulation import FlnftModel

_QUICK: dict[str, Any] = {
    "learning.learner": "surrogate",
    "learning.rounds": 2,
    "market.auctions": 1,
    "game.history_auctions": 4,
}


@cache
def _played(mechanism: str, fields: tuple[tuple[str, Any], ...], seed: int) -> FlnftModel:
    scenario = load_scenario("market", overrides=_QUICK | {"market.mechanism": mechanism} | dict(fields), seed=seed)
    model = FlnftModel(scenario)
    model.run()
    return model


class MechanismContract:
    """Subclass it in a test module, set `mechanism` to a registered name, and pytest runs the rest."""

    mechanism: str
    fields: Mapping[str, Any] = MappingProxyType({})
    """What else a scenario must say for it, by dotted names."""

    def played(self, *, seed: int = 1, **fields: Any) -> FlnftModel:
        """A small market of several DAOs, played to its end."""
        of_these = {name.replace("__", "."): value for name, value in fields.items()}
        return _played(self.mechanism, tuple((dict(self.fields) | of_these).items()), seed)

    def test_every_episode_comes_to_an_end_and_leaves_nobody_waiting(self) -> None:
        """Also the second one, which finds the world as the first has left it."""
        model = self.played(market__auctions=2)
        assert model.finished and model.phase == "finished" and model.episode == 1
        assert model.waiting() == "nobody"

    def test_money_moves_and_never_comes_or_goes(self) -> None:
        """To the unit, and nothing stays locked behind an episode that is over."""
        accounts = self.played(market__auctions=2).world.accounts
        assert accounts.entries, "somebody pays for something"
        assert accounts.total() == sum(accounts.opening_balances.values())
        assert not any(units for address, units in accounts.balances.items() if "/" in address)

    def test_all_that_moved_is_on_the_public_chain(self) -> None:
        """Whoever reads the settlements there knows every balance."""
        world = self.played(market__auctions=2).world
        told = [
            dict(entry) for each in world.public_chain.chain.transactions("settle") for entry in each.payload["entries"]
        ]
        assert told == [dict(entry) for entry in world.accounts.entries]

    def test_failures_end_an_episode_too(self) -> None:
        """Where everybody drops out there is nothing to sell: no licence is granted, and no money stays away."""
        model = self.played(failures__dropout_rate=1.0)
        assert model.finished and not model.world.records.licences
        held = model.world.accounts.balances
        providers = [provider.address for provider in model.providers]
        assert all(held[each] == model.world.accounts.opening_balances[each] for each in providers)

    def test_the_same_seed_tells_the_same_story(self) -> None:
        """Every block of every chain."""
        first, again = self.played(), _played.__wrapped__(self.mechanism, tuple(self.fields.items()), 1)
        assert first.world.public_chain.chain.to_jsonl() == again.world.public_chain.chain.to_jsonl()
        assert self.played(seed=2).world.public_chain.chain.to_jsonl() != first.world.public_chain.chain.to_jsonl()

    def test_past_auctions_teach_and_take_no_time(self) -> None:
        """Before the first episode the ledger holds what happened earlier, at time 0."""
        model = self.played()
        past = list(model.world.public_chain.chain.transactions("past-auction"))
        assert past and all(block.time_s == 0.0 for block in model.world.public_chain.chain.blocks[:2])
