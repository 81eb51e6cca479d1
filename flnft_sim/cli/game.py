"""`flnft game`: the equilibrium of a scenario, who could still gain by deviating, and what each belief is worth."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flnft_sim.cli.console import check_folder, err, out, print_json
from flnft_sim.cli.options import Imports, Json, ScenarioName, Seed, Settings
from flnft_sim.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flnft_sim.experiments.belief_scores import BeliefScore
    from flnft_sim.game import DecisionProblem, Examined, GameReport
    from flnft_sim.scenario import Scenario

_ROWS = 12  # providers printed
_USER_FIGURES = (
    "take part",
    "epochs k*",
    "ε* asked for",
    "mean utility",
    "mean cash surplus",
    "most that one could gain",
    "exchanges until settled",
    "last relative change",
)


def game_command(
    scenario: ScenarioName,
    settings: Settings = None,
    imports: Imports = None,
    seed: Seed = None,
    dao: Annotated[int, typer.Option(help="number of the DAO whose first decision is examined")] = 0,
    folder: Annotated[
        Path | None, typer.Option("--out", help="draw the best-response curves, too, into this folder")
    ] = None,
    as_json: Json = False,
) -> int:
    """Examine a scenario's game: its equilibrium, who could still gain by deviating, and what beliefs are worth."""
    from flnft_sim.scenario import load_scenario, parse_settings

    overrides = parse_settings(settings or [])
    resolved = load_scenario(scenario, overrides=overrides, seed=seed, imports=imports or ())
    if not 0 <= dao < resolved.population.daos:
        raise InputError(
            f"--dao {dao}: {resolved.name} has DAOs 0 to {resolved.population.daos - 1}; choose one of them"
        )
    if folder is not None:
        check_folder(folder)

    from flnft_sim.experiments.belief_market import score_kinds
    from flnft_sim.experiments.first_decision import first_decision

    err.print(f"[dim]playing {resolved.game.history_auctions} auctions of history …[/]")
    problem, report = first_decision(resolved, dao)
    _print_providers(problem, report)
    _print_users(report)
    scores = score_kinds(resolved)
    _print_beliefs(resolved, scores)
    if as_json:
        print_json(_told(resolved, dao, problem, report, scores))
    if folder is not None:
        _draw(problem, report, folder / f"{resolved.name}-best-responses.png")
    return 0


def _draw(problem: "DecisionProblem", report: "GameReport", path: Path) -> None:
    from flnft_sim.figures import save_figure
    from flnft_sim.figures.responses import draw_best_responses

    path.parent.mkdir(parents=True, exist_ok=True)
    save_figure(draw_best_responses(problem, report), path, dpi=120)
    out.print(f"best-response curves: {path}", markup=False)


def _print_providers(problem: "DecisionProblem", report: "GameReport") -> None:
    """What each provider bids, played and at the equilibrium, and what it could still gain."""
    import numpy as np

    valuations = problem.providers.valuations_quality + problem.providers.valuations_freshness
    headings = ("bids\non beliefs", "could\ngain", "if users\nanswer")
    table = _table("provider", "worth", *headings, "bids at\nequilibrium", *headings[1:])
    unknown = np.full(valuations.size, np.nan)  # in a market too large to let users answer every deviation
    columns = [valuations]
    for e in (report.played, report.equilibrium):
        columns += [e.step.quality_money + e.step.freshness_money, e.provider_gains]
        columns.append(unknown if e.anticipated_gains is None else e.anticipated_gains)
    for j in range(min(_ROWS, valuations.size)):
        table.add_row(str(j), *(f"{column[j]:,.2f}" for column in columns))
    if valuations.size > _ROWS:
        table.add_row("…", *[""] * len(columns))
    table.add_section()
    table.add_row("all", *(f"{column.sum():,.2f}" for column in columns))
    table.caption = (
        "Money. A gain is what one provider alone could still make in Ψ by other prices: with quality and\n"
        "freshness fixed, and if users answered the other prices first. The equilibrium is one of\n"
        "simultaneous prices, and leaves the second."
    )
    out.print(table)


def _print_users(report: "GameReport") -> None:
    """How users answer, played and at the equilibrium."""
    table = _table("users", "on beliefs", "at the equilibrium")
    columns = [_user_figures(examined) for examined in (report.played, report.equilibrium)]
    for name, *cells in zip(_USER_FIGURES, *columns, strict=True):
        table.add_row(name, *cells)
    table.caption = (
        "Utility is δ·(h(k) + h(ε)) − κ·C and not cash; the cash surplus is δ − κ·C, money for a whole minting."
    )
    out.print(table)


def _user_figures(examined: "Examined") -> list[str]:
    """The cells under `_USER_FIGURES`."""
    step, part = examined.step, examined.step.takes_part
    counts = [f"{part.sum():,} of {part.size:,}"]
    settled = [f"{step.iteration}", f"{step.gap:.1g}"]
    if not part.any():
        return [*counts, *["–"] * 4, f"{examined.user_gains.max():,.2g}", *settled]
    return [
        *counts,
        f"{step.epochs[part].min()} to {step.epochs[part].max()}",
        f"{step.privacy[part].min():.3g} to {step.privacy[part].max():.3g}",
        f"{step.utilities[part].mean():,.2f}",
        f"{examined.cash_surplus[part].mean():,.2f}",
        f"{examined.user_gains.max():,.2g}",
        *settled,
    ]


def _told(
    scenario: "Scenario",
    dao: int,
    problem: "DecisionProblem",
    report: "GameReport",
    scores: "Mapping[str, BeliefScore]",
) -> dict[str, Any]:
    """The examined game for a program: arrays by provider and by user, money and utility as in the tables."""
    import numpy as np

    return {
        "scenario": scenario.name,
        "seed": scenario.seed,
        "dao": dao,
        "valuations_money": np.asarray(problem.valuations_quality) + np.asarray(problem.valuations_freshness),
        "played": _told_of(report.played),
        "equilibrium": _told_of(report.equilibrium),
        "beliefs": {kind: asdict(score) for kind, score in scores.items()},
    }


def _told_of(examined: "Examined") -> dict[str, Any]:
    step = examined.step
    return {
        "bids_money": step.quality_money + step.freshness_money,
        "provider_gains_money": examined.provider_gains,
        "provider_anticipated_gains_money": examined.anticipated_gains,
        "takes_part": step.takes_part,
        "local_epochs": step.epochs,
        "privacy_budget": step.privacy,
        "user_utility": step.utilities,
        "user_gains_utility": examined.user_gains,
        "cash_surplus_money": examined.cash_surplus,
        "exchanges": step.iteration,
        "last_relative_change": step.gap,
    }


def _print_beliefs(scenario: "Scenario", scores: "Mapping[str, BeliefScore]") -> None:
    """All kinds of belief over the history that the scenario's own kind makes."""
    from flnft_sim.experiments.belief_market import trial_market

    market, own = trial_market(scenario), scenario.game.belief.kind
    if not scores:
        out.print("no belief table: it takes two providers and a history longer than game.belief.min_history")
        return
    table = _table("belief", "MAE\n(money)", "log-loss\n(nats)", "share of\noracle's utility")
    for kind, score in scores.items():
        table.add_row(
            f"[bold]{kind}[/]" if kind == own else kind,
            f"{score.mae_money:,.1f}",
            f"{score.log_loss:.3f}",
            f"{score.oracle_share:.1%}",
        )
    table.caption = (
        f"Over {market.history + market.measured} auctions of {market.providers} providers who all use {own},\n"
        "one dimension, no clock. The share is what a provider who believes so earns, alone among them."
    )
    out.print(table)


def _table(first: str, *others: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption_justify="left")
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table
