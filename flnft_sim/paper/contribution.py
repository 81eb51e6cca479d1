"""Beyond the paper: what one user gains by riding, lying and splitting itself, by the way in which users are paid."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from flnft_sim.experiments.riding_audit import BY, HONEST, VALIDATION_SHARE, deviations, gains
from flnft_sim.paper.paired import with_interval
from flnft_sim.paper.scale import Scale, workload_name
from flnft_sim.paper.section import Picture, Section, Statement, Table, Verdict
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.sweeps import SweepPlan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

USERS = 10
ROBLOX10_COST, ROBLOX10_ROUNDS = 0.1, 100  # of scenario `roblox10`: fewer rounds cost as much in all
METRICS = ("adversaries_received_money", "adversaries_cost_money", "adversaries_gain_money", "accuracy")

#: What is told of a deviation: the ends of its interval, the words for more and less of it, and its unit.
TOLD = {
    "pay_money": (("pay_low", "pay_high"), ("it is paid more as", "it is paid less as"), "money"),
    "gain_money": (("ci95_low", "ci95_high"), ("it has more cash as", "it has less cash as"), "money"),
    "accuracy_points": (
        ("accuracy_low", "accuracy_high"),
        ("the model is better by", "the model is worse by"),
        "points",
    ),
}


def studies(scale: Scale) -> list[StudyPlan]:
    """One user deviates in each way while all others are honest, under each way of paying and averaging."""
    dataset, model = scale.contribution_workload
    sweep = SweepPlan(
        name="contribution",
        description="One of ten users does not do what it says: what it is paid, by measure and aggregator",
        scenario="roblox10",
        set={
            "learning.dataset": dataset,
            "learning.model": model,
            "learning.rounds": scale.contribution_rounds,
            "learning.validation_share": VALIDATION_SHARE,
            "learning.partition.kind": "sizes",
            "learning.partition.sizes": [scale.contribution_images] * USERS,
            "game.cost_price": ROBLOX10_COST * ROBLOX10_ROUNDS / scale.contribution_rounds,
            "game.history_auctions": scale.history_auctions,
            # The trace has ten places, and there is one more name. An image costs what it does in the scenario.
            "radio.placement": "random",
            "radio.bandwidth_mhz": 20.0,
            "devices.cycles_per_sample": None if dataset != "digits" else 5.33e6,
        },
        zip=_zipped(scale.contribution_ways),
        seeds=tuple(range(scale.contribution_seeds)),
        metrics=METRICS,
    )
    return [StudyPlan(sweep, 4.0 if dataset != "digits" else 1.0)]


def _zipped(ways: Sequence[tuple[str, str]]) -> dict[str, list[Any]]:
    """Every way with every deviation, as one list a field."""
    told = [dict(fields) for fields in deviations(USERS).values()]
    honest = {"failures.lie_factor": 0.1, "population.users": USERS}
    fields = list(dict.fromkeys(name for each in told for name in each))
    points = [
        {"game.contribution": measure, "learning.aggregator": aggregator}
        | {name: each.get(name, honest.get(name, 0)) for name in fields}
        for measure, aggregator in ways
        for each in told
    ]
    return {name: [point[name] for point in points] for name in points[0]}


def tell(done: Mapping[str, Study], scale: Scale) -> Section:
    """Who gains by what, in pay and in cash, and what becomes of the model."""
    study = done["contribution"]
    table = gains(_named(study.runs))
    ways = [group for _, group in table.groupby(list(BY), sort=False)]
    workload = workload_name(*scale.contribution_workload)
    return Section(
        title="Beyond the paper: who is paid for what it contributed",
        introduction=(
            f"Ten users of `roblox10` with {scale.contribution_images:,} images each ({workload}, trained for real, "
            f"{scale.contribution_rounds} rounds). One of them, the same in all runs of a seed, does not do what it "
            "says; the others are honest. A free rider trains nothing and sends noise as long as the model's last "
            "step, a lazy one trains one epoch, a liar reports a tenth of its loss, a sybil shares its data among two "
            "names, a label flipper trains on false labels, a poisoner turns its update around. Compared is what it "
            "is paid, and what it has in cash (paid − cost of its work), with its own honest run of the same seed."
        ),
        statements=tuple(
            Statement("Free riding and unfairness (abstract, §1)", _sentence(way), Verdict.OURS, study.source())
            for way in ways
        ),
        pictures=(Picture("contribution", "Mean over seeds and its 95 % interval.", _figure(ways)),),
        tables=(
            Table(
                "contribution",
                "What a deviating user is paid more than when honest, has more in cash, and makes of the model's "
                "accuracy: mean, 95 % interval.",
                table,
                _shown(ways),
            ),
        ),
        remarks=(_resists(ways), _why_cash(table)),
    )


def _named(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with the deviation, measure and aggregator that each is of."""
    named = runs.rename(columns={"game.contribution": "contribution", "learning.aggregator": "aggregator"})
    deviation = pd.Series(HONEST, index=runs.index)
    for name, fields in deviations(USERS).items():
        if name != HONEST:
            field = next(field for field in fields if field != "population.users")
            others = runs["failures.lie_factor"] < 1 if name == "liar" else True
            deviation = deviation.mask((runs[field] > 0) & others, name)
    return named.assign(deviation=deviation)


def _way(rows: pd.DataFrame) -> str:
    return f"paid by `{rows['contribution'].iloc[0]}`, averaged by `{rows['aggregator'].iloc[0]}`"


def _signs(rows: pd.DataFrame, metric: str) -> Iterator[tuple[Mapping[Any, Any], int]]:
    """Each deviation with +1 or −1 where its whole interval lies above or below 0, else 0."""
    low, high = TOLD[metric][0]
    for row in rows.to_dict("records"):
        yield row, 1 if row[low] > 0 else -1 if row[high] < 0 else 0


def _sentence(rows: pd.DataFrame) -> str:
    told = [_way(rows)]
    for metric, (_, words, unit) in TOLD.items():
        found = list(_signs(rows, metric))
        for wanted, word in zip((1, -1), words, strict=True):
            names = [f"{row['deviation']} ({row[metric]:+,.1f} {unit})" for row, sign in found if sign == wanted]
            if names:
                told.append(f"{word} {', '.join(names)}")
    if len(told) == 1:
        told.append("these seeds tell no deviation from being honest")
    text = f"{told[0]}: {'; '.join(told[1:])}"
    return text[0].upper() + text[1:]


def _resists(ways: Sequence[pd.DataFrame]) -> str:
    """Which way pays which deviation less than honesty, whole intervals counted, and which it does not."""
    told = []
    for rows in ways:
        found = list(_signs(rows, "pay_money"))
        less = [str(row["deviation"]) for row, sign in found if sign < 0]
        rest = [str(row["deviation"]) for row, sign in found if sign >= 0]
        told.append(f"{_way(rows)}: it pays less for being {_any(less)}, and not less for being {_any(rest)}")
    return f"What resists what: {'; '.join(told)}."


def _any(names: Sequence[str]) -> str:
    return ", ".join(names) or "none of them"


def _why_cash(table: pd.DataFrame) -> str:
    saved = table[table["deviation"] == "free-rider"]["saved_money"]
    paid = table["honest_money"].mean()
    return (
        f"No measure stops free riding by itself here: an honest user is paid {paid:,.1f} on average, and a free rider "
        f"saves {saved.mean():,.1f} of cost, so that it is better off in cash even where it is paid nothing. That is "
        "the paper's reward, whose Φ is no cash (docs/fidelity.md): the honest user is paid less than its work costs."
        if (saved > table.loc[saved.index, "honest_money"]).all()
        else f"An honest user is paid {paid:,.1f} on average, and a free rider saves {saved.mean():,.1f} of cost."
    )


def _shown(ways: Sequence[pd.DataFrame]) -> pd.DataFrame:
    headings = dict(zip(TOLD, ("paid more", "more in cash", "the model (points)"), strict=True))
    rows = []
    for way in ways:
        for row in way.to_dict("records"):
            cells = {
                headings[metric]: with_interval(row[metric], row[ends[1]], "+,.1f").replace("± +", "± ")
                for metric, (ends, _, _) in TOLD.items()
            }
            rows.append({"paid by": row["contribution"], "averaged by": row["aggregator"]} | _who(row) | cells)
    return pd.DataFrame(rows)


def _who(row: Mapping[Any, Any]) -> dict[str, str]:
    return {"deviation": row["deviation"], "honest, it is paid": f"{row['honest_money']:,.1f}"}


def _figure(ways: Sequence[pd.DataFrame]) -> "Figure":
    """What each deviation is paid more, a colour a way of paying."""
    from flnft_sim.figures.palette import series_colour
    from flnft_sim.figures.style import finish, legend_below, new_figure

    figure, (panel,) = new_figure(columns=1)
    width, bars = 0.8 / len(ways), []
    for place, rows in enumerate(ways):
        at = [number + width * (place - (len(ways) - 1) / 2) for number in range(len(rows))]
        half = (rows["pay_high"] - rows["pay_money"]).fillna(0)
        look: dict[str, Any] = {"width": 0.9 * width, "color": series_colour(place), "yerr": half, "capsize": 2}
        label = f"{rows['contribution'].iloc[0]}, {rows['aggregator'].iloc[0]}"
        bars.append(panel.bar(at, rows["pay_money"], label=label, **look))
    panel.axhline(0, color="black", linewidth=0.8)
    panel.set_xticks(range(len(ways[0])), list(ways[0]["deviation"]))
    finish(panel, title="Paid more than when honest", x="", y="money")
    legend_below(figure, bars, title="paid by, averaged by")
    return figure
