"""The parts of the reproduction, in the order of the page. A new one is a line here: what it runs, what it tells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flnft_sim.paper import (
    ablation,
    beliefs,
    contribution,
    dirichlet,
    fig4,
    fig5,
    fig6,
    mechanisms,
    privacy,
    private,
    rules,
    sensitivity,
    surrogate,
    table3,
)
from flnft_sim.paper.scale import Scale
from flnft_sim.paper.section import Section
from flnft_sim.paper.study import Study, StudyPlan


@dataclass(frozen=True)
class Part:
    """`studies` names the sweeps it needs at a scale (parts may share one), `tell` makes its section of them."""

    studies: Callable[[Scale], list[StudyPlan]]
    tell: Callable[[Mapping[str, Study], Scale], Section]


PARTS: Mapping[str, Part] = {
    "fig4": Part(fig4.studies, fig4.tell),
    "fig5": Part(fig5.studies, fig5.tell),
    "ablation": Part(ablation.studies, ablation.tell),
    "fig6": Part(fig6.studies, fig6.tell),
    "table3": Part(table3.studies, table3.tell),
    "privacy": Part(privacy.studies, privacy.tell),
    "private": Part(private.studies, private.tell),
    "surrogate": Part(surrogate.studies, surrogate.tell),
    "sensitivity": Part(sensitivity.studies, sensitivity.tell),
    "dirichlet": Part(dirichlet.studies, dirichlet.tell),
    "rules": Part(rules.studies, rules.tell),
    "beliefs": Part(beliefs.studies, beliefs.tell),
    "mechanisms": Part(mechanisms.studies, mechanisms.tell),
    "contribution": Part(contribution.studies, contribution.tell),
}
