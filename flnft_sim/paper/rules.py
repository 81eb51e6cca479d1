"""Beyond the paper: the clearing rule."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from flnft_sim.market.audit import audit, efficiency_by_size
from flnft_sim.paper.scale import Scale
from flnft_sim.paper.section import Section, Statement, Table, Verdict
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.paper.tables import shown
from flnft_sim.statistics import intervals
from flnft_sim.sweeps import SweepPlan

RULES = ("pms-am", "pms-am-literal", "mcafee", "vcg", "uniform", "first-price", "random")
ON_TOTALS = ("cost-sharing", "rsop", "rspe", "myerson")
SIZES = (5, 10, 20, 40)  # providers, over which efficiency is averaged
DAOS = (1, 2, 4, 8)


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


def in_totals(markets: int) -> pd.DataFrame:
    """Every rule of both kinds held to total costs: promises broken (shares of markets), and welfare by DAOs.

    No run is behind it: truthful reports in markets drawn at random (`flnft audit --totals`).
    """
    rules = [*ON_TOTALS, *RULES]
    sizes = efficiency_by_size(rules, bidders=SIZES, daos=DAOS, markets=markets, asks="total")
    rows: list[dict[str, Any]] = []
    for rule in rules:
        found = audit(rule, markets=markets, asks="total")
        broken = {str(promise): count / found.markets for promise, count in found.violations.items()}
        of_rule = {daos: [size.efficiency for size in sizes if (size.rule, size.daos) == (rule, daos)] for daos in DAOS}
        welfare = {f"welfare_{daos}": sum(shares) / len(shares) for daos, shares in of_rule.items()}
        rows.append({"rule": rule, **broken, "trades": found.trades, "below_cost": found.below_cost, **welfare})
    return pd.DataFrame(rows)


def _shown_in_totals(table: pd.DataFrame) -> pd.DataFrame:
    names = {"trades": "trade at all", "below_cost": "of them below cost"}
    names |= {f"welfare_{daos}": f"welfare, {daos} DAO{'s' if daos > 1 else ''}" for daos in DAOS}
    cells = table.set_index("rule").map(lambda share: "0" if share == 0 else f"{share:.1%}".replace("%", " %"))
    return cells.reset_index().rename(columns=names)


def tell(done: Mapping[str, Study], scale: Scale) -> Section:
    """Licences sold and money taken, by rule and market size; and what rules promise where costs are totals."""
    study = done["rules"]
    metrics = ["licences_total", "paid_total_money", "reward_received_money"]
    table = intervals(study.runs, ["market.rule", "population.daos"], metrics)
    largest = table[table["population.daos"] == table["population.daos"].max()]
    revenue = largest[largest["metric"] == "paid_total_money"].set_index("market.rule")["mean"]
    licences = largest[largest["metric"] == "licences_total"].set_index("market.rule")["mean"]
    totals = in_totals(scale.audited_markets)
    held: dict[str, dict[Any, Any]] = {row["rule"]: row for row in totals.to_dict("records")}
    return Section(
        title="Beyond the paper: the clearing rule",
        introduction=(
            "The scenario `market` with two categories, and the same users and providers under each rule. Bids answer "
            "the game of Stage I, not the rule: what differs is who wins and pays. Whether truth pays under a rule is "
            "`flnft audit`'s question. A licence costs nothing to copy, so a DAO's cost is a total: the second table "
            "holds every rule to that, those on asks per licence too, which then see each bidder's part of the total."
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
            Statement(
                "DAOs are paid what they ask (§5.2)",
                f"per licence; held to a total cost, `pms-am` leaves {held['pms-am']['below_cost']:.0%} of its "
                f"trades below it, and in {held['pms-am']['ic-seller']:.0%} of the markets a DAO gains by another "
                f"ask; `cost-sharing` breaks no promise and reaches {held['cost-sharing']['welfare_1']:.0%} of the "
                f"first best with one DAO, {held['cost-sharing']['welfare_8']:.0%} with eight",
                Verdict.OURS,
                f"`flnft audit --totals`, {scale.audited_markets:,} markets",
            ),
        ),
        tables=(
            Table("rules", "By rule and number of DAOs: mean, 95 % interval.", table, shown(table, "population.daos")),
            Table(
                "rules-in-totals",
                "Costs and asks in total. Shares of random markets in which a promise is broken and in which there is "
                "trade, of the trades those that leave a DAO below its cost, and welfare as a share of the first best: "
                "5 to 40 providers with uniform values, costs log-normal about 0.2 of the highest value a provider, "
                "the reserve learned.",
                totals,
                _shown_in_totals(totals),
            ),
        ),
    )
