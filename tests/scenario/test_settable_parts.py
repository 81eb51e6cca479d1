"""A part of an installed package is set from a scenario like one that ships: by fields beside its name."""

import importlib
import sys
from textwrap import dedent

import pytest

from flnft_sim.families import FAMILIES
from flnft_sim.scenario import ScenarioError, load_scenario, with_fields
from flnft_sim.simulation import FlnftModel, run
from flnft_sim.sweeps.identity import identity
from flnft_sim.sweeps.plan import PlanError, load_plan
from flnft_sim.sweeps.runs import Runs
from flnft_sim.sweeps.simulator import FlnftSimulator

PARTS = '''
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from flnft_sim.game.beliefs.base import Belief, BeliefOptions, certainty
from flnft_sim.knobs import Knob, Settings
from flnft_sim.learning import DATASETS, PARTITIONS, Dataset
from flnft_sim.learning.models import Dense, LayeredModel, Layers
from flnft_sim.ledger import BlockSlot, Consensus


@dataclass(frozen=True, kw_only=True)
class ClockworkSettings(Settings):
    period_s: Annotated[float, Knob("time from one block to the next", unit="s", gt=0)] = 10.0
    drift_s: Annotated[float, Knob("added to each", unit="s", ge=0)] = 0.0

    def __post_init__(self):
        super().__post_init__()
        if self.drift_s > self.period_s:
            raise ValueError(f"drift_s ({self.drift_s:g}) must not exceed period_s ({self.period_s:g})")


class Clockwork(Consensus):
    Settings = ClockworkSettings
    on_demand = False

    def __init__(self, settings, rng):
        self.period_s = settings.period_s + settings.drift_s

    @property
    def expected_s(self):
        return self.period_s / 2

    def next_block(self, after_s):
        time_s = (after_s // self.period_s + 1) * self.period_s
        return BlockSlot(proposed_s=time_s, time_s=time_s, final_s=time_s, producer="clock")


class Untold(Clockwork):
    Settings = dict


@dataclass(frozen=True, kw_only=True)
class WindowOptions(BeliefOptions):
    window: Annotated[int, Knob("bids remembered", unit="auctions", ge=1)] = 3


class Window(Belief):
    """The mean of the last bids; `ewma_weight` is the section's own field."""

    Settings = WindowOptions
    made = []

    def __init__(self, options):
        super().__init__(options)
        self.bids = []
        Window.made.append(options)

    def observe(self, bid):
        self.bids = [*self.bids, bid][-self.options.window :]

    def predict(self):
        return certainty(float(np.mean(self.bids)) if self.bids else self.options.prior)


@dataclass(frozen=True, kw_only=True)
class WideSettings(Settings):
    units: Annotated[int, Knob("units of the hidden layer", unit="count", ge=1)] = 8


class Wide(LayeredModel):
    name = "wide"
    Settings = WideSettings

    def choose_layers(self):
        pixels = self.input_shape[0] * self.input_shape[1] * self.input_shape[2]
        units = self.settings.units
        return Layers((), (Dense(pixels, units), Dense(units, self.classes)), self.dropout)


@dataclass(frozen=True, kw_only=True)
class StripesSettings(Settings):
    stripes: Annotated[int, Knob("stripes, a class each", unit="count", ge=2, le=9)] = 3


@DATASETS.register("stripes", settings=StripesSettings)
def stripes(*, data_dir, split, seed, progress, settings):
    labels = np.arange(40 * settings.stripes) % settings.stripes
    images = np.zeros((len(labels), 1, 9, 9), np.float32)
    images[np.arange(len(labels)), 0, labels] = 1.0
    return Dataset("stripes", "made up", images, labels, images, labels, settings.stripes)


@dataclass(frozen=True, kw_only=True)
class FavouriteSettings(Settings):
    favourite: Annotated[int, Knob("the user that gets most", ge=0)] = 0
    least: Annotated[int, Knob("samples of every other", unit="samples", ge=1)] = 10


@PARTITIONS.register("favourite", settings=FavouriteSettings)
def favourite(labels, users, *, rng, settings):
    order, least = rng.permutation(len(labels)), settings.least
    cuts = [order[least * user : least * (user + 1)] for user in range(users)]
    cuts[settings.favourite] = np.concatenate([cuts[settings.favourite], order[least * users :]])
    return cuts
'''
ENTRY_POINTS = """
[flnft_sim.protocols]
clockwork = parts_of_ones_own:Clockwork
absent = parts_of_ones_own:Absent
untold = parts_of_ones_own:Untold
[flnft_sim.beliefs]
window = parts_of_ones_own:Window
[flnft_sim.models]
wide = parts_of_ones_own:Wide
[flnft_sim.datasets]
stripes = parts_of_ones_own:stripes
[flnft_sim.partitions]
favourite = parts_of_ones_own:favourite
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A distribution with a part for each family, installed for one test."""
    (tmp_path / "parts_of_ones_own.py").write_text(dedent(PARTS))
    metadata = tmp_path / "parts_of_ones_own-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: parts-of-ones-own\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield importlib.import_module("parts_of_ones_own")
    for family in FAMILIES:  # what was found is remembered
        for name in [name for name, part in family._parts.items() if part.__module__ == "parts_of_ones_own"]:
            del family._parts[name]
            family._settings.pop(name, None)
    sys.modules.pop("parts_of_ones_own", None)


REAL = {"learning.rounds": 1, "game.history_auctions": 4}
QUICK = {"learning.learner": "surrogate", "learning.rounds": 1, "game.history_auctions": 4}
CLOCKWORK = {"public_chain.protocol": "clockwork", "public_chain.period_s": 7}


def test_both_ledgers_tell_a_protocol_what_stands_beside_its_name(installed):
    fields = QUICK | CLOCKWORK | {"private_ledger.protocol": "clockwork", "private_ledger.period_s": 0.5}
    model = FlnftModel(load_scenario("tiny", overrides=fields))
    model.run()
    for chain, period_s in ((model.world.public_chain.chain, 7.0), (model.daos[0].ledger.chain, 0.5)):
        times_s = [block.time_s for block in chain.blocks[1:]]
        assert times_s and all(time_s % period_s == 0 for time_s in times_s)


def test_a_belief_is_told_its_own_knobs_and_those_of_the_section(installed):
    fields = {"game.belief.kind": "window", "game.belief.window": 2, "game.belief.ewma_weight": 0.5}
    run(load_scenario("tiny", overrides=QUICK | fields))
    told = installed.Window.made[0]
    assert (told.window, told.ewma_weight, told.levels) == (2, 0.5, 6) and told.prior > 0


def test_a_data_set_and_a_model_are_told_what_stands_beside_their_names(installed):
    fields = {"learning.dataset": "stripes", "learning.stripes": 4, "learning.model": "wide", "learning.units": 5}
    scenario = load_scenario("tiny", overrides=REAL | fields)
    [weights] = run(scenario).weights.values()
    assert sorted(array.shape for array in weights.values()) == [(4,), (4, 5), (5,), (5, 81)]
    with pytest.raises(ScenarioError, match=r"learning.unit', did you mean 'units'"):
        with_fields(scenario, {"learning.unit": 3})
    with pytest.raises(ScenarioError, match=r"learning.stripes = 10: should be less than or equal to 9"):
        with_fields(scenario, {"learning.stripes": 10})


def test_a_partition_is_told_what_stands_beside_its_kind(installed):
    fields = {f"learning.partition.{name}": value for name, value in {"kind": "favourite", "favourite": 2}.items()}
    model = FlnftModel(load_scenario("tiny", overrides=REAL | fields | {"learning.partition.least": 7}))
    model.run()
    assert [size == 7 for size in model.daos[0].shard_sizes] == [True, True, False, True]
    with pytest.raises(ScenarioError, match=r"learning.partition.favourite = -1: should be greater than or equal to 0"):
        load_scenario("tiny", overrides=fields | {"learning.partition.favourite": -1})


def test_a_part_of_a_sweep_can_be_what_a_part_is_told(installed):
    plan = {"scenario": "tiny", "set": REAL | {"learning.model": "wide"}, "grid": {"learning.units": [3, 4]}}
    runs = Runs(load_plan(plan), FlnftSimulator())
    assert len({each.identity for each in runs}) == 2
    with pytest.raises(PlanError, match=r"point 1 .*learning.units = 0: should be greater than or equal to 1"):
        Runs(load_plan(plan | {"grid": {"learning.units": [3, 0]}}), FlnftSimulator())


def test_what_is_told_is_in_the_manifest_and_a_run_from_it_is_the_same(installed, tmp_path):
    result = run(load_scenario("tiny", overrides=QUICK | CLOCKWORK))
    assert result.manifest["scenario"]["public_chain"]["period_s"] == 7.0
    result.save(tmp_path / "run")
    again = load_scenario(tmp_path / "run" / "manifest.json")
    assert again.public_chain.told("protocol") == {"period_s": 7.0}


def test_runs_that_are_told_otherwise_are_other_runs(installed):
    first, second = (load_scenario("tiny", overrides=CLOCKWORK | {"public_chain.period_s": s}) for s in (7, 8))
    assert identity(first.model_dump(mode="json")) != identity(second.model_dump(mode="json"))
    assert with_fields(first, {"public_chain.period_s": 8}) == second


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"public_chain.period_s": -1}, "--set: public_chain.period_s = -1: should be greater than 0"),
        ({"public_chain.period_s": "7"}, "public_chain.period_s = '7': should be a number, not text"),
        ({"public_chain.perod_s": 7}, "unknown field 'public_chain.perod_s', did you mean 'period_s'?"),
        ({"public_chain.drift_s": 11}, "drift_s (11) must not exceed period_s (10)"),
    ],
)
def test_what_a_part_refuses_is_one_sentence_when_the_scenario_is_read(installed, fields, words):
    with pytest.raises(ScenarioError) as refusal:
        load_scenario("tiny", overrides={"public_chain.protocol": "clockwork"} | fields)
    assert words in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("protocol", "words"),
    [("absent", "'absent' of an installed package cannot be loaded"), ("untold", "its Settings are no dataclass")],
)
def test_a_part_that_is_broken_is_one_sentence(installed, protocol, words):
    with pytest.raises(ScenarioError, match=words) as refusal:
        load_scenario("tiny", overrides={"public_chain.protocol": protocol})
    assert "\n" not in str(refusal.value)


def test_a_field_that_no_chosen_part_knows_is_refused():
    with pytest.raises(ScenarioError, match=r"unknown field 'public_chain.period_s'; known here: .*confirmations"):
        load_scenario("tiny", overrides={"public_chain.period_s": 7})


def test_parts_that_ship_have_settings_beyond_the_sections_too():
    scenario = load_scenario("tiny", overrides={"public_chain.protocol": "pos", "public_chain.missed": 0.5})
    assert scenario.public_chain.told("protocol") == {"block_interval_s": 13.0, "missed": 0.5}
    with pytest.raises(ScenarioError, match=r"public_chain.missed = 1: should be less than 1"):
        load_scenario("tiny", overrides={"public_chain.protocol": "pos", "public_chain.missed": 1})
