"""Which contributions a scenario cannot measure, or not pay by, refused when it is read."""

from collections.abc import Iterator
from typing import Any

from flnft_sim import families


def refuse_unmeasurable(scenario: Any) -> None:
    """Raise `ValueError` naming the first measure of contributions that could not be taken, or not be paid by."""
    learning, share = scenario.learning, scenario.learning.validation_share
    if share > 0 and learning.learner == "surrogate":
        raise ValueError(
            f"learning.validation_share = {share:g}: the surrogate learner has no test set to set a part of it apart; "
            "use 0, or learner 'real'"
        )
    if scenario.game.reputation > 0:
        _refuse_reputation(scenario)
    for field, name in _asked(scenario.game):
        _refuse_market(scenario, f"{field} {name!r}", field)
        _refuse_blind(scenario, f"{field} {name!r}", name)


def _refuse_reputation(scenario: Any) -> None:
    given = f"game.reputation = {scenario.game.reputation:g}"
    if scenario.game.contribution == "paper" and not scenario.game.measures:
        raise ValueError(
            f"{given}: nothing is measured by which it could be won; name a measure in game.measures, such as "
            "'loss-drop', or pay by one (game.contribution)"
        )
    if scenario.market.mechanism == "sound":
        raise ValueError(f"{given}: the mechanism 'sound' pays by attested effort, whatever the reputation; use 0")


def _asked(game: Any) -> Iterator[tuple[str, str]]:
    """Every measure beyond the paper's pay, with the field that names it."""
    if game.contribution != "paper":
        yield "game.contribution", game.contribution
    for name in game.measures:
        yield "game.measures", name


def _refuse_market(scenario: Any, asked: str, field: str) -> None:
    if field == "game.contribution" and scenario.market.mechanism == "sound":
        raise ValueError(
            f"{asked}: the mechanism 'sound' pays by attested effort; use 'paper' there, and game.measures to measure "
            "beside it"
        )
    if scenario.population.moves_as_crowd(dao=0):
        raise ValueError(
            f"{asked}: DAOs of {scenario.population.crowd_from} members and more (population.crowd_from) move as "
            "crowds, of whom no single contribution is kept; use 'paper' without game.measures"
        )


def _refuse_blind(scenario: Any, asked: str, name: str) -> None:
    """Refuse a measure of what is not there to be seen."""
    from flnft_sim.game.contribution import facts_of  # here: only scenarios that measure import the measures

    facts, learning = facts_of(name), scenario.learning
    members = -(-scenario.population.users // scenario.population.daos)
    if facts.sees_updates and (reason := _unseen(learning)):
        raise ValueError(f"{asked} looks at single updates, and {reason}; use 'paper' or 'volume'")
    if facts.validates and learning.validation_share == 0:
        raise ValueError(
            f"{asked} is measured on validation data, and learning.validation_share is 0; give it a share of the test "
            "set, such as 0.2"
        )
    if facts.most_users is not None and members > facts.most_users:
        raise ValueError(
            f"{asked} is worked out for at most {facts.most_users} users, and a DAO here has {members}; have fewer or "
            "more DAOs, or use 'shapley', which samples orders"
        )


def _unseen(learning: Any) -> str | None:
    """Why nobody sees a single update, if so."""
    if learning.learner == "surrogate":
        return "the surrogate learner trains none"
    if families.SCHEMES.get(learning.scheme).centralized:
        return f"under scheme {learning.scheme!r} all data are in one place"
    if learning.privacy.mechanism == "dp-secagg":
        return "under dp-secagg only their sum is seen"
    return None
