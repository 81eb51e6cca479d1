"""Scenarios: what a market consists of, written in YAML, checked strictly."""

from flnft_sim.scenario.describe import describe_fields, fields_markdown
from flnft_sim.scenario.loading import (
    ScenarioError,
    describe_scenario,
    find_scenario,
    load_scenario,
    parse_settings,
    scenario_names,
    with_fields,
)
from flnft_sim.scenario.schema import Scenario

__all__ = [
    "Scenario",
    "ScenarioError",
    "describe_fields",
    "describe_scenario",
    "fields_markdown",
    "find_scenario",
    "load_scenario",
    "parse_settings",
    "scenario_names",
    "with_fields",
]
