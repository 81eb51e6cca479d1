"""Schema and code agree: at the ends of every field's range a run comes to a named end, or never begins."""

import math
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from flnft_sim.errors import FlnftError, InputError
from flnft_sim.scenario import Scenario, ScenarioError, load_scenario, with_fields
from flnft_sim.scenario.explain import knob_of
from flnft_sim.simulation import FlnftModel

#: Everything switched on, so that no field stands idle.
EVERYTHING = {
    "learning.learner": "surrogate",
    "learning.rounds": 1,
    "game.history_auctions": 2,
    "game.belief.min_history": 2,
    "population.users": 4,
    "population.providers": 3,
    "failures.dropout_rate": 0.3,
    "failures.link_failure_rate": 0.3,
    "failures.forged_bids": 1,
    "failures.replayed_bids": 1,
    "failures.garbled_bids": 1,
    "failures.overspenders": 1,
    "market.auctions": 2,
    "market.resale_share": 1.0,
    "market.reserve_money": 1e4,
    "market.rebids_max": 2,
    "market.voting.inflating_share": 0.5,
    "private_ledger.primary_crash_s": 3.0,
    "public_chain.stall_at_s": 10.0,
    "public_chain.stall_for_s": 30.0,
    "public_chain.load_tx_per_s": 0.2,
    "radio.movement": "random-waypoint",
    "radio.rayleigh": True,
    "timeline.round_deadline_s": 60.0,
}
#: How much there is of everything: such runs end as surely as smaller ones, but not within a test.
SIZES = {"population.users", "population.providers", "population.daos", "market.auctions", "learning.rounds"}
SIZES |= {"game.history_auctions", "failures.forged_bids", "failures.replayed_bids", "failures.garbled_bids"}
#: What the surrogate has no notion of, and what it only looks up: tried on real training.
REAL = {"learning.dropout", "learning.learning_rate", "learning.momentum", "learning.sensitivity", "learning.clip_l1"}
REAL |= {"learning.batch_size", "game.privacy_range"}
ANY_SIZE = {"learning.partition.alpha"}  # a shape, told apart from its limits in floating point alone


def leaves(section: type[BaseModel] = Scenario, prefix: str = "") -> dict[str, Any]:
    """Every field by its dotted name."""
    fields: dict[str, Any] = {}
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            fields |= leaves(field.annotation, f"{prefix}{name}.")
        else:
            fields[prefix + name] = field
    return fields


def is_number(annotation: Any) -> bool:
    return annotation in (int, float) or any(kind in (int, float) for kind in get_args(annotation))


def ends(field: Any) -> tuple[float, float]:
    """The lowest and the highest number that a field allows."""
    knob = knob_of(field)
    low, high = knob.ge, knob.le
    if knob.gt is not None:
        low = math.nextafter(knob.gt, math.inf)
    if knob.lt is not None:
        high = math.nextafter(knob.lt, -math.inf)
    return -math.inf if low is None else low, math.inf if high is None else high


def extremes(field: Any) -> list[Any]:
    """The ends of a number's range, or the pairs of ends of a pair's; nothing for what is no number."""
    if field.annotation == tuple[float, float]:
        low, high = ends(field)
        return [[low, low], [low, high], [high, high]]
    return list(ends(field)) if is_number(field.annotation) and "tuple" not in str(field.annotation) else []


FIELDS = leaves()
TRIED = [name for name in FIELDS if extremes(FIELDS[name]) and name not in SIZES | ANY_SIZE]
NUMBERS = {name: field for name, field in FIELDS.items() if is_number(field.annotation) and "tuple" not in str(field)}


def test_every_number_has_a_lowest_and_a_highest_value():
    open_ended = {name for name, field in NUMBERS.items() if not all(map(math.isfinite, ends(field)))}
    assert len(NUMBERS) > 80
    assert open_ended == ANY_SIZE


@pytest.mark.parametrize("name", TRIED)
def test_at_the_ends_of_a_range_a_run_ends_or_never_begins(name):
    """A refusal names the field; no run ends in an error that is not one of ours, or after simulated ages."""
    start = load_scenario("tiny", overrides=EVERYTHING | ({"learning.learner": "real"} if name in REAL else {}))
    for value in extremes(FIELDS[name]):
        try:
            model = FlnftModel(with_fields(start, {name: value}))
        except ScenarioError as refusal:
            assert len(str(refusal).splitlines()) == 1, name
            assert name.rpartition(".")[2] in str(refusal)
            continue
        except InputError as refusal:  # known only when the world is built
            assert "timeline." in str(refusal) or name in str(refusal)
            continue
        try:
            model.run()
        except FlnftError as end:
            assert type(end) is not FlnftError
        assert model.result().summary["simulated_s"] <= model.settings.timeline.longest_s


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [1e300, -1e300, 1e-300, 10**400, math.inf, math.nan])
def test_beyond_the_ends_is_one_sentence(name, value):
    if name in ANY_SIZE and 0 < value < math.inf:
        return
    low, high = ends(NUMBERS[name])
    if low <= value <= high and not (isinstance(value, float) and NUMBERS[name].annotation is int):
        return
    with pytest.raises(ScenarioError) as refusal:
        load_scenario("tiny", overrides={name: value})
    assert len(str(refusal.value).splitlines()) == 1 and len(str(refusal.value)) < 500
    assert name in str(refusal.value)
