"""Beyond the paper: the kind of belief."""

from collections.abc import Mapping

from flnft_sim.paper.scale import Scale
from flnft_sim.paper.section import Section, Statement, Table, Verdict
from flnft_sim.paper.study import Study, StudyPlan
from flnft_sim.paper.tables import shown
from flnft_sim.statistics import intervals
from flnft_sim.sweeps import SweepPlan


def studies(scale: Scale) -> list[StudyPlan]:
    """One category's market, every provider with the same kind of belief."""
    plan = SweepPlan(
        name="beliefs",
        description="The kinds of beliefs in the whole simulation",
        scenario="market-cyclic",
        set={
            "market.auctions": scale.belief_auctions,
            "population.categories": 1,
            "population.daos": 2,
            "population.users": 20,
            "population.providers": 5,
            "game.history_auctions": scale.history_auctions,
        },
        grid={"game.belief.kind": list(scale.belief_kinds)},
        seeds=tuple(range(scale.market_seeds)),
        metrics=("provider_utility", "provider_exploitability_money", "price_money", "licences_total", "user_utility"),
    )
    return [StudyPlan(plan, 0.5 * scale.belief_auctions)]


def tell(done: Mapping[str, Study], _scale: Scale) -> Section:
    """What providers earn and how exploitable their play is, by kind of belief."""
    study = done["beliefs"]
    metrics = ["provider_utility", "provider_exploitability_money", "licences_total"]
    table = intervals(study.runs, ["game.belief.kind"], metrics)
    means = table.pivot(index="game.belief.kind", columns="metric", values="mean")
    exploitable = means["provider_exploitability_money"]
    return Section(
        title="Beyond the paper: the kind of belief",
        introduction=(
            "One category of the scenario `market-cyclic`, five providers who all hold the same kind of belief, on the "
            "clock, auction after auction. `oracle` is told the others' bids. What beliefs are worth to a single "
            "provider among others is in the section on beliefs."
        ),
        statements=(
            Statement(
                "Providers predict their rivals with a hidden Markov model",
                f"the most a provider could gain by another bid is {exploitable['hmm']:.1f} money with `hmm`, "
                f"{exploitable['last']:.1f} with the last bid and {exploitable['oracle']:.1f} when told",
                Verdict.OURS,
                study.source(),
            ),
        ),
        tables=(Table("beliefs", "Means, 95 % interval.", table, shown(table, None)),),
    )
