"""`flnft audit`: which promises a clearing rule keeps, with counterexamples to follow by hand."""

from collections.abc import Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flnft_sim.cli.console import check_folder, err, out
from flnft_sim.cli.options import ImportsFirst
from flnft_sim.errors import FlnftError, InputError
from flnft_sim.files import read_ordinary

if TYPE_CHECKING:
    import pandas as pd

    from flnft_sim.market.audit import AuditReport


class AuditFailed(FlnftError):
    """A required promise is broken, or a counterexample breaks none any more."""


_COMPOSED_RULES = ("pms-am", "mcafee", "pms-am-literal")


def audit_command(
    rules: Annotated[list[str] | None, typer.Argument(help="clearing rules [default: all]")] = None,
    require: Annotated[str, typer.Option(help="fail unless these hold: ic, ir, bb, comma-separated")] = "",
    markets: Annotated[int, typer.Option(help="how many markets to search for each rule")] = 10_000,
    seed: Annotated[int, typer.Option(help="seed of the markets")] = 0,
    folder: Annotated[Path, typer.Option("--out", help="where counterexamples and figures go")] = Path("audit"),
    figure: Annotated[bool, typer.Option("--figure", help="draw efficiency and revenue by market size")] = False,
    replay: Annotated[Path | None, typer.Option(help="follow a counterexample written by an earlier audit")] = None,
    composed: Annotated[
        str | None,
        typer.Option(metavar="SCENARIO", help="audit a scenario's whole market instead, game and asks included"),
    ] = None,
    episodes: Annotated[int, typer.Option(help="with --composed: how many of the scenario's episodes")] = 3,
    imports: ImportsFirst = None,
) -> None:
    """Search markets for broken promises: truth pays (ic), taking part pays (ir), the budget balances (bb)."""
    del imports  # the option has brought them in
    if replay is not None:
        return _replay(replay)
    check_folder(folder)
    if composed is not None:
        return _compose(composed, rules or _COMPOSED_RULES, episodes, seed, folder)
    return _search(rules or [], _required(require), markets, seed, folder, figure=figure)


def _search(
    rules: Sequence[str], required: Sequence[str], markets: int, seed: int, folder: Path, *, figure: bool
) -> None:
    """Look for broken promises of each rule; raises `AuditFailed` where a required one is."""
    from flnft_sim.market.audit import audit
    from flnft_sim.market.rules import RULES

    names = list(dict.fromkeys(rules or RULES))
    for name in names:
        RULES.get(name)
    reports = []
    for name in names:
        err.print(f"[dim]auditing {name} on {markets:,} markets …[/]")
        reports.append(audit(name, markets=markets, seed=seed))
    _print_table(reports)
    _write_counterexamples(reports, folder)
    if figure:
        _draw(names, folder, seed)
    broken = [f"{report.rule} {name}" for report in reports for name in required if not report.holds(name)]
    if broken:
        raise AuditFailed(f"required, but broken: {', '.join(broken)}")


def _required(require: str) -> list[str]:
    """The names in --require; raises `InputError` for one that is no property."""
    from flnft_sim.market.audit import PROPERTIES

    required = [name.strip() for name in require.split(",") if name.strip()]
    for name in required:
        if name not in PROPERTIES:
            raise InputError(f"--require {require}: there is no property {name!r}; choose from ic, ir, bb")
    return required


def _print_table(reports: Sequence["AuditReport"]) -> None:
    from rich.table import Table

    table = Table(
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        caption="ic, ir, bb: does it hold? Welfare is a share of the first best, the rest is\n"
        "money: no amount in a market exceeds 10, and what is below rounding is 0.",
        caption_justify="left",
    )
    for heading in ("rule", "ic", "ir", "bb"):
        table.add_column(heading, no_wrap=True)
    for heading in (
        "provider\ngain",
        "DAO\ngain",
        "worst\nutility",
        "worst\nsurplus",
        "mean\nwelfare",
        "worst\nwelfare",
        "DAO\nrevenue",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for report in reports:
        amounts = (report.max_buyer_gain, report.max_seller_gain, report.min_utility, report.min_surplus)
        table.add_row(
            report.rule,
            *("[green]yes[/]" if report.holds(name) else "[red]no[/]" for name in ("ic", "ir", "bb")),
            *(f"{amount:.3g}" for amount in amounts),
            f"{report.efficiency:.1%}",
            f"{report.worst_efficiency:.0%}",
            f"{report.revenue:.3g}",
        )
    out.print(table)


def _write_counterexamples(reports: Sequence["AuditReport"], folder: Path) -> None:
    """One JSON file per broken promise; a file of an earlier audit goes where the promise holds now."""
    from flnft_sim.files import write_atomic

    for report in reports:
        for promise in report.violations:
            path = folder / f"{report.rule}-{promise}.json"
            example = report.counterexamples.get(promise)
            if example is None:
                path.unlink(missing_ok=True)
                continue
            folder.mkdir(parents=True, exist_ok=True)
            write_atomic(path, example.to_json())
            out.print(f"{report.rule} breaks {promise} in {report.violations[promise]:,} markets: {path}", markup=False)


def _draw(names: Sequence[str], folder: Path, seed: int) -> None:
    from flnft_sim.figures import save_figure
    from flnft_sim.figures.rules import draw_rules_by_size
    from flnft_sim.market.audit import efficiency_by_size

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "rules-by-market-size.png"
    save_figure(draw_rules_by_size(efficiency_by_size(names, seed=seed)), path, dpi=120)
    out.print(f"efficiency and revenue by market size: {path}", markup=False)


def _replay(path: Path) -> None:
    """Follow a counterexample line by line; raises `AuditFailed` where it breaks its promise no more."""
    from flnft_sim.market.audit import Counterexample

    try:
        text = read_ordinary(path, most=1 << 24).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"cannot read {path} ({reason}); give a file that `flnft audit` wrote") from None
    example = Counterexample.from_json(text, source=str(path))
    out.print(example.story(), markup=False)
    if example.violation() <= 0:
        raise AuditFailed(f"{path}: {example.rule} keeps {example.promise} here now")


def _compose(scenario: str, rules: Sequence[str], episodes: int, seed: int, folder: Path) -> None:
    """Let every party of a scenario's market shade, one at a time."""
    from flnft_sim.experiments.composed_audit import composed_audit, summary
    from flnft_sim.files import write_atomic
    from flnft_sim.scenario import load_scenario

    resolved = load_scenario(scenario, seed=seed)
    err.print(f"[dim]letting every party of {episodes} episodes of {resolved.name} shade, one at a time …[/]")
    shadings = composed_audit(resolved, rules, episodes=episodes)
    _print_composed(summary(shadings))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"composed-{resolved.name}.csv"
    write_atomic(path, shadings.to_csv(index=False, lineterminator="\n"))
    out.print(f"every party's best shading: {path}", markup=False)


def _print_composed(table: "pd.DataFrame") -> None:
    from rich.table import Table

    shown = Table(
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        caption="What one party gains by shading its Stage-I price, its sealed bid or its ask, money.\n"
        "No theorem promises 0 here; by the value V a licence has, most bids are shaded already.",
        caption_justify="left",
    )
    for heading in ("rule", "shades", "if honest"):
        shown.add_column(heading, no_wrap=True)
    for heading in ("parties", "who\ngain", "mean\ngain", "largest\ngain", "largest\nprice cut"):
        shown.add_column(heading, justify="right", no_wrap=True)
    rows: list[dict[Any, Any]] = table.to_dict("records")
    for row in rows:
        cut = row["largest_price_cut"]
        shown.add_row(
            row["rule"],
            row["kind"],
            row["if_honest"],
            str(row["parties"]),
            f"{row['gaining_share']:.0%}",
            f"{row['mean_gain_money']:.3g}",
            f"{row['largest_gain_money']:.4g}",
            "" if isnan(cut) else f"{cut:.1%}",
        )
    out.print(shown)
