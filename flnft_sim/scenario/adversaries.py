"""Which adversaries a scenario has no place for, refused when it is read."""

from typing import Any

from flnft_sim import families

KINDS = ("free_riders", "lazy", "label_flippers", "poisoners", "sybils", "liars")
_CHANGE_UPDATES = ("free_riders", "label_flippers", "poisoners", "sybils")


def refuse_adversaries(scenario: Any) -> None:
    """Raise `ValueError` naming the first kind of adversary that could not be what it is."""
    failures = scenario.failures
    asked = {kind: getattr(failures, kind) for kind in KINDS if getattr(failures, kind)}
    if not asked:
        return
    first = next(iter(asked))
    _refuse_counts(scenario, asked)
    _refuse_places(scenario, f"failures.{first} = {asked[first]}")
    for kind, count in asked.items():
        if reason := _hidden(kind, scenario.learning):
            raise ValueError(f"failures.{kind} = {count}: {reason}")


def _refuse_counts(scenario: Any, asked: dict[str, int]) -> None:
    users, total = scenario.population.users, sum(asked.values())
    if total > users:
        raise ValueError(
            f"failures: {total} adversaries ({', '.join(f'{kind} {count}' for kind, count in asked.items())}) are more "
            f"than the {users} users (population.users); have fewer"
        )
    names, members = asked.get("sybils", 0), -(-users // scenario.population.daos)
    if names == 1:
        raise ValueError("failures.sybils = 1: a user with one name is no sybil; use 0, or 2 and more names")
    if names > members:
        raise ValueError(
            f"failures.sybils = {names}: one user's names are all in the first DAO, which has {members} members; use "
            "fewer names or more users"
        )


def _refuse_places(scenario: Any, asked: str) -> None:
    """Refuse a market in which nobody's update is anybody's own."""
    if families.SCHEMES.get(scenario.learning.scheme).centralized:
        raise ValueError(
            f"{asked}: under scheme {scenario.learning.scheme!r} all data are in one place, and nobody sends an "
            "update; choose another scheme"
        )
    if scenario.market.mechanism != "paper":
        raise ValueError(
            f"{asked}: the mechanism {scenario.market.mechanism!r} attests effort and has adversaries of its own "
            "(failures.skipping_users); use market.mechanism 'paper'"
        )
    if scenario.population.moves_as_crowd(dao=0):
        raise ValueError(
            f"{asked}: DAOs of {scenario.population.crowd_from} members and more (population.crowd_from) move as "
            "crowds, in which nobody has a conduct of its own; raise population.crowd_from or have fewer users"
        )


def _hidden(kind: str, learning: Any) -> str | None:
    """Why nobody could do that, if so."""
    if kind in _CHANGE_UPDATES and learning.learner == "surrogate":
        return "the surrogate learner trains no updates that could be false; use learner 'real'"
    if kind == "liars" and learning.privacy.trains_privately:
        return (
            f"under privacy.mechanism {learning.privacy.mechanism!r} losses are taken on public data, and nobody "
            "reports its own; use 0"
        )
    if kind == "free_riders" and learning.privacy.trains_privately:
        return (
            f"under privacy.mechanism {learning.privacy.mechanism!r} updates weigh by contracted noise, which who "
            "trains nothing never adds; use 0, or 'lazy'"
        )
    return None
