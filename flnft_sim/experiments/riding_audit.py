"""What one user gains, in cash, by not doing what it says: by measure that pays and by aggregator, paired by seed.

Everybody else is honest. The same user is honest first: it then counts as a liar that reports its true loss. Runs of a
seed share users, devices, places, data and providers, so that their difference is what the deviation makes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from flnft_sim.errors import InputError
from flnft_sim.families import AGGREGATORS, CONTRIBUTIONS
from flnft_sim.scenario import Scenario, load_scenario
from flnft_sim.scenario.adversaries import KINDS
from flnft_sim.simulation import FlnftModel
from flnft_sim.statistics import statistics

HONEST = "honest"
NAMES = 2  # of a sybil
VALIDATION_SHARE = 0.2  # where a measure needs one and the scenario has none
METRICS = ("adversaries_received_money", "adversaries_cost_money", "adversaries_gain_money", "accuracy")
BY = ("contribution", "aggregator")


def deviations(users: int) -> Mapping[str, Mapping[str, Any]]:
    """What one of so many users may do: name -> fields of a scenario that differ from a market of honest users."""
    return {
        HONEST: {"failures.liars": 1, "failures.lie_factor": 1.0},
        "free-rider": {"failures.free_riders": 1},
        "lazy": {"failures.lazy": 1},
        "liar": {"failures.liars": 1},
        "sybil": {"failures.sybils": NAMES, "population.users": users + NAMES - 1},
        "label-flipper": {"failures.label_flippers": 1},
        "poisoner": {"failures.poisoners": 1},
    }


def everybody_honest(settings: Scenario) -> dict[str, Any]:
    """Fields that make a scenario's users honest, and leave room for one more name.

    Raises `InputError` where there are several DAOs: a user's further names would move members of all others.
    """
    if settings.population.daos > 1:
        raise InputError(
            f"scenario {settings.name}: population.daos is {settings.population.daos}, and with more names members "
            "would change their DAO; audit riding in a scenario with one"
        )
    fields: dict[str, Any] = {f"failures.{kind}": 0 for kind in KINDS} | {"game.measures": []}
    if settings.radio.placement == "trace" and settings.population.users + NAMES - 1 > 10:
        fields["radio.placement"] = "random"  # the trace has ten places
    if settings.learning.validation_share == 0 and settings.learning.learner == "real":
        fields["learning.validation_share"] = VALIDATION_SHARE
    return fields


def planned(
    scenario: str, measures: Sequence[str], aggregators: Sequence[str], seeds: Iterable[int]
) -> list[tuple[dict[str, Any], Scenario]]:
    """All runs of an audit, each with what it is called by; all are checked before the first begins."""
    for family, names in ((CONTRIBUTIONS, measures), (AGGREGATORS, aggregators)):
        for name in names:
            family.get(name)
    base = load_scenario(scenario)
    common = everybody_honest(base)
    return [
        (
            {"deviation": name, "contribution": measure, "aggregator": aggregator, "seed": seed},
            load_scenario(
                scenario,
                seed=seed,
                overrides=common | {"game.contribution": measure, "learning.aggregator": aggregator} | dict(fields),
            ),
        )
        for measure in measures
        for aggregator in aggregators
        for name, fields in deviations(base.population.users).items()
        for seed in seeds
    ]


def riding_runs(
    runs: Sequence[tuple[dict[str, Any], Scenario]], *, progress: Callable[[str], None] = lambda _: None
) -> pd.DataFrame:
    """Run them one after the other: a row each with its names and `METRICS`."""
    rows = []
    for number, (names, settings) in enumerate(runs, 1):
        progress(f"{number} of {len(runs)}: {names['deviation']}, {names['contribution']}, {names['aggregator']}")
        model = FlnftModel(settings)
        model.run()
        summary = model.result().summary
        rows.append(names | {metric: summary[metric] for metric in METRICS})
    return pd.DataFrame(rows)


def gains(runs: pd.DataFrame) -> pd.DataFrame:
    """What each deviation gains over being honest, by measure and aggregator, paired by seed.

    Takes rows of `riding_runs`. Columns: contribution, aggregator, deviation, n, honest_money and deviating_money
    (received, means), pay_money (their difference), saved_money (less work), gain_money (cash: received − cost), and
    accuracy_points (of the model, less that of the honest one's). Student's 95 % intervals are in pay_low and pay_high,
    ci95_low and ci95_high (of the gain), accuracy_low and accuracy_high.
    """
    return pd.DataFrame([row for _, group in runs.groupby(list(BY), sort=False) for row in _of_one(group)])


def _of_one(group: pd.DataFrame) -> Iterator[dict[str, Any]]:
    honest = group[group["deviation"] == HONEST].set_index("seed")
    for name, own in group.groupby("deviation", sort=False):
        if name == HONEST:
            continue
        theirs = own.set_index("seed")
        apart = (theirs[list(METRICS)] - honest[list(METRICS)]).dropna()
        n, gain, _, low, high = statistics(apart["adversaries_gain_money"].tolist())
        _, pay, _, pay_low, pay_high = statistics(apart["adversaries_received_money"].tolist())
        _, points, _, points_low, points_high = statistics((100 * apart["accuracy"]).tolist())
        yield {
            **{column: group[column].iloc[0] for column in BY},
            "deviation": name,
            "n": n,
            "honest_money": honest.loc[apart.index, "adversaries_received_money"].mean(),
            "deviating_money": theirs.loc[apart.index, "adversaries_received_money"].mean(),
            "pay_money": pay,
            "pay_low": pay_low,
            "pay_high": pay_high,
            "saved_money": -apart["adversaries_cost_money"].mean(),
            "gain_money": gain,
            "ci95_low": low,
            "ci95_high": high,
            "accuracy_points": points,
            "accuracy_low": points_low,
            "accuracy_high": points_high,
        }
