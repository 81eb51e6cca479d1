"""Beyond the paper: the clearing rule."""

from collections.abc import Mapping

from flnft_sim.paper.scale import Scale
from flnft_sim.paper.section import Section, Statement, Table, Verdict
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.paper.tables import shown
from flnft_sim.statistics import intervals
from flnft_sim.sweeps import SweepPlan

RULES = ("pms-am", "pms-am-literal", "mcafee", "vcg", "uniform", "first-price", "random")


def studies(scale: Scale) -> list[StudyPlan]:
    """The market of many DAOs under each clearing rule."""
    daos = scale.market_daos
    plan = SweepPlan(
        name="rules",
        description="The clearing rules in markets of several sizes",
        scenario="market",
        set={
            "market.auctions": scale.market_auctions,
            "population.categories": 2,
            "game.history_auctions": scale.history_auctions,
        },
        grid={"market.rule": list(RULES)},
        zip={
            "population.daos": list(daos),
            "population.users": [10 * count for count in daos],
            "population.providers": [5 * count for count in daos],
        },
        seeds=tuple(range(scale.market_seeds)),
        metrics=("licences_total", "price_money", "paid_total_money", "provider_utility", "reward_received_money"),
    )
    return [StudyPlan(plan, 1.5 * scale.market_auctions)]


def tell(done: Mapping[str, Study], _scale: Scale) -> Section:
    """Licences sold and money taken, by rule and market size."""
    study = done["rules"]
    metrics = ["licences_total", "paid_total_money", "reward_received_money"]
    table = intervals(study.runs, ["market.rule", "population.daos"], metrics)
    largest = table[table["population.daos"] == table["population.daos"].max()]
    revenue = largest[largest["metric"] == "paid_total_money"].set_index("market.rule")["mean"]
    licences = largest[largest["metric"] == "licences_total"].set_index("market.rule")["mean"]
    return Section(
        title="Beyond the paper: the clearing rule",
        introduction=(
            "The scenario `market` with two categories, and the same users and providers under each rule. Bids answer "
            "the game of Stage I, not the rule: what differs is who wins and pays. Whether truth pays under a rule is "
            "`flnft audit`'s question."
        ),
        statements=(
            Statement(
                "The proposed auction is used throughout",
                f"in the largest market {licences['pms-am']:.0f} licences are sold for {revenue['pms-am']:,.0f} money "
                f"in all under `pms-am`; most is paid under `{revenue.idxmax()}` ({revenue.max():,.0f}), least under "
                f"`{revenue.idxmin()}` ({revenue.min():,.0f})",
                Verdict.OURS,
                study.source(),
            ),
        ),
        tables=(
            Table("rules", "By rule and number of DAOs: mean, 95 % interval.", table, shown(table, "population.daos")),
        ),
    )
