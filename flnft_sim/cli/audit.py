"""`flnft audit`: which promises a clearing rule keeps, with counterexamples to follow by hand."""

from collections.abc import Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flnft_sim.cli.console import captioned_table, check_folder, err, out, print_json
from flnft_sim.cli.options import ImportsFirst, Json
from flnft_sim.cli.privacy_audit import audit_privacy
from flnft_sim.cli.riding_audit import audit_riding
from flnft_sim.errors import FlnftError, InputError
from flnft_sim.files import read_ordinary

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from flnft_sim.market.audit import AuditReport, Counterexample, UnclaimedReport


class AuditFailed(FlnftError):
    """A required promise is broken, or a counterexample breaks none any more."""


_UNCLAIMED_MARKETS = 1000  # second names and pacts are shown, not counted to the last
_COMPOSED_RULES = ("pms-am", "mcafee", "pms-am-literal")
_PAPER_CAPTION = (
    "What one party gains by shading its Stage-I price, its sealed bid, its ask, or its effort, money.\n"
    "No theorem promises 0 here; by the value V a licence has, most bids are shaded already."
)
_SOUND_CAPTION = (
    "What one party gains, in money, by a misreport when all that follows reacts. Expected are 0 but for\n"
    "pacts (all members of a DAO train the same other epochs), and with rules whose pot depends on bids."
)


def audit_command(
    rules: Annotated[list[str] | None, typer.Argument(help="clearing rules [default: all]")] = None,
    totals: Annotated[
        bool, typer.Option("--totals", help="hold every rule to total costs, one a DAO, however many licences it sells")
    ] = False,
    require: Annotated[str, typer.Option(help="fail unless these hold: ic, ir, bb, comma-separated")] = "",
    markets: Annotated[int, typer.Option(help="how many markets to search for each rule")] = 10_000,
    seed: Annotated[int, typer.Option(help="seed of the markets")] = 0,
    folder: Annotated[
        Path | None, typer.Option("--out", help="write counterexamples (--composed: every shading) into this folder")
    ] = None,
    figure: Annotated[
        bool, typer.Option("--figure", help="draw efficiency and revenue by market size into --out")
    ] = False,
    replay: Annotated[Path | None, typer.Option(help="follow a counterexample written by an earlier audit")] = None,
    composed: Annotated[
        str | None,
        typer.Option(metavar="SCENARIO", help="audit a scenario's whole market instead, game and asks included"),
    ] = None,
    privacy: Annotated[
        str | None,
        typer.Option(metavar="SCENARIO", help="audit what a scenario's privacy claims instead, by canaries in one run"),
    ] = None,
    riding: Annotated[
        str | None,
        typer.Option(
            metavar="SCENARIO", help="audit what a user of a scenario gains by riding, lying and splitting itself"
        ),
    ] = None,
    measures: Annotated[
        str, typer.Option(help="with --riding: contribution measures to pay by, comma-separated")
    ] = "paper,loss-drop",
    aggregators: Annotated[str, typer.Option(help="with --riding: aggregators, comma-separated")] = "fedavg",
    seeds: Annotated[int, typer.Option(help="with --riding: how many seeds, from --seed on")] = 3,
    episodes: Annotated[int, typer.Option(help="with --composed: how many of the scenario's episodes")] = 3,
    imports: ImportsFirst = None,
    as_json: Json = False,
) -> None:
    """Search markets for broken promises: truth pays (ic), taking part pays (ir), the budget balances (bb)."""
    del imports  # the option has brought them in
    if replay is not None:
        return _replay(replay, as_json=as_json)
    if folder is not None:
        check_folder(folder)
    elif figure:
        raise InputError("--figure: say with --out into which folder it is drawn")
    if privacy is not None:
        return audit_privacy(privacy, seed, as_json=as_json)
    if riding is not None:
        return audit_riding(riding, measures, aggregators, seeds, seed, as_json=as_json)
    if composed is not None and totals:
        raise InputError("--totals: with --composed DAOs ask as the scenario says; give one of the two")
    if composed is not None:
        return _compose(composed, rules, episodes, seed, folder, as_json=as_json)
    return _search(
        rules or [], _required(require), markets, seed, folder, totals=totals, figure=figure, as_json=as_json
    )


def _search(
    rules: Sequence[str],
    required: Sequence[str],
    markets: int,
    seed: int,
    folder: Path | None,
    *,
    totals: bool,
    figure: bool,
    as_json: bool,
) -> None:
    """Look for broken promises of each rule; raises `AuditFailed` where a required one is."""
    from flnft_sim.market.audit import audit, unclaimed
    from flnft_sim.market.rules import RULES

    names = list(dict.fromkeys(rules or RULES))
    for name in names:
        RULES.get(name)
    reports, beyond = [], []
    for name in names:
        err.print(f"[dim]auditing {name} on {markets:,} markets …[/]")
        reports.append(audit(name, markets=markets, seed=seed, asks="total" if totals else None))
        if reports[-1].asks == "total":
            beyond += unclaimed(name, markets=min(markets, _UNCLAIMED_MARKETS), seed=seed, asks="total")
    if as_json:
        print_json([_told(report) | {"unclaimed": _not_claimed(report, beyond)} for report in reports])
    _print_tables(reports)
    _keep_counterexamples(reports, beyond, folder)
    if figure and folder is not None:
        _draw(names, folder, seed, totals=totals)
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


def _print_tables(reports: Sequence["AuditReport"]) -> None:
    """A table of the rules held to a cost per licence, and one of those held to a total."""
    for asks, meaning in (("per-licence", "A DAO's cost is per licence."), ("total", "A DAO's cost is one total.")):
        if kind := [report for report in reports if report.asks == asks]:
            _print_table(kind, meaning)


def _print_table(reports: Sequence["AuditReport"], meaning: str) -> None:
    table = captioned_table(
        "ic, ir, bb: does it hold? Welfare is a share of the first best, the rest is\n"
        f"money: no amount in a market exceeds 10, and what is below rounding is 0.\n{meaning}"
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


def _told(report: "AuditReport") -> dict[str, Any]:
    """What an audit found, for a program."""
    from flnft_sim.market.audit import PROPERTIES

    return asdict(report) | {"holds": {name: report.holds(name) for name in PROPERTIES}}


def _not_claimed(report: "AuditReport", beyond: Sequence["UnclaimedReport"]) -> list[dict[str, Any]]:
    return [asdict(found) for found in beyond if found.rule == report.rule]


def _keep_counterexamples(
    reports: Sequence["AuditReport"], beyond: Sequence["UnclaimedReport"], folder: Path | None
) -> None:
    """Name every broken promise, and what is not promised, with a file of its counterexample where there is a folder.

    A file of an earlier audit goes where the promise holds now.
    """
    for report in reports:
        for promise, markets in report.violations.items():
            example = report.counterexamples.get(promise)
            kept = _keep(example, folder / f"{report.rule}-{promise}.json") if folder else ""
            if example is not None:
                out.print(f"{report.rule} breaks {promise} in {markets:,} markets{kept}", markup=False)
        if report.below_cost:
            out.print(f"{report.rule} leaves the DAO below its cost in {report.below_cost:.1%} of trades", markup=False)
    _keep_unclaimed(beyond, folder)
    if folder is None and (beyond or any(report.counterexamples for report in reports)):
        out.print("--out FOLDER keeps a counterexample of each, to be followed with --replay", markup=False)


def _keep_unclaimed(beyond: Sequence["UnclaimedReport"], folder: Path | None) -> None:
    """Say what second names and pacts earn, with a file of the largest gain where there is a folder."""
    if beyond:
        out.print("\nNot claimed by any rule, and tried: second names and pacts, with the largest gain in money")
    for found in beyond:
        kept = _keep(found.example, folder / f"{found.rule}-{found.way}.json") if folder else ""
        often = f"in {found.open:,} of {found.markets:,} markets, up to {found.largest_gain:.3g}"
        out.print(f"{found.rule} {found.way}: {often if found.open else 'never'}{kept}", markup=False)
        if found.example is not None:
            out.print(f"  {found.example.sentence()}", markup=False)


def _keep(example: "Counterexample | None", path: Path) -> str:
    from flnft_sim.files import write_atomic

    if example is None:
        path.unlink(missing_ok=True)
        return ""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, example.to_json())
    return f": {path}"


def _draw(names: Sequence[str], folder: Path, seed: int, *, totals: bool) -> None:
    """Draw what the rules make of markets of growing size: those held to total costs apart from the others."""
    from flnft_sim.figures.rules import draw_rules_by_size
    from flnft_sim.market.audit import efficiency_by_size
    from flnft_sim.market.rules import facts_of

    folder.mkdir(parents=True, exist_ok=True)
    in_total = [name for name in names if totals or facts_of(name).asks == "total"]
    each = [name for name in names if name not in in_total]
    if each:
        _save(draw_rules_by_size(efficiency_by_size(each, seed=seed)), folder / "rules-by-market-size.png")
    if in_total:
        rows = efficiency_by_size(in_total, seed=seed, daos=(1, 2, 4, 8), asks="total")
        _save(draw_rules_by_size(rows), folder / "rules-on-totals-by-market-size.png")


def _save(figure: "Figure", path: Path) -> None:
    from flnft_sim.figures import save_figure

    save_figure(figure, path, dpi=120)
    out.print(f"efficiency and revenue by market size: {path}", markup=False)


def _replay(path: Path, *, as_json: bool) -> None:
    """Follow a counterexample line by line; raises `AuditFailed` where it breaks its promise no more."""
    from flnft_sim.market.audit import Counterexample

    try:
        text = read_ordinary(path, most=1 << 24).decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"cannot read {path} ({reason}); give a file that `flnft audit` wrote") from None
    example = Counterexample.from_json(text, source=str(path))
    out.print(example.story(), markup=False)
    if as_json:
        print_json(asdict(example) | {"violation": example.violation()})
    if example.violation() <= 0:
        raise AuditFailed(f"{path}: {example.rule} keeps {example.promise} here now")


def _compose(
    scenario: str, rules: Sequence[str] | None, episodes: int, seed: int, folder: Path | None, *, as_json: bool
) -> None:
    """Let every party of a scenario's market shade, one at a time; attack contests for a pot where there are any."""
    from flnft_sim.experiments.composed_audit import composed_audit, sound_attacks, summary
    from flnft_sim.files import write_atomic
    from flnft_sim.scenario import load_scenario

    resolved = load_scenario(scenario, seed=seed)
    err.print(f"[dim]letting every party of {episodes} episodes of {resolved.name} shade, one at a time …[/]")
    sound = resolved.market.mechanism == "sound"
    rules = rules or ([resolved.market.rule] if sound else _COMPOSED_RULES)
    shadings = composed_audit(resolved, rules, episodes=episodes)
    told = summary(shadings)
    _print_composed(told, sound=sound)
    attacked = sound_attacks(resolved, rules[0]) if sound else None
    if attacked is not None:
        _print_attacks(attacked)
    if as_json:
        records = {"summary": told.to_dict("records"), "shadings": shadings.to_dict("records")}
        print_json(records if attacked is None else records | {"attacks": _without_nan(attacked)})
    if folder is None:
        out.print("--out FOLDER keeps every party's best shading as a table", markup=False)
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"composed-{resolved.name}.csv"
    write_atomic(path, shadings.to_csv(index=False, lineterminator="\n"))
    out.print(f"every party's best shading: {path}", markup=False)


def _without_nan(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Records, with none for what is not a number."""
    rows: list[dict[Any, Any]] = table.to_dict("records")
    return [{name: None if isinstance(v, float) and isnan(v) else v for name, v in row.items()} for row in rows]


def _print_attacks(table: "pd.DataFrame") -> None:
    """Gains of the first market's attacks: parts of its pot, and what is claimed of them."""
    shown = captioned_table(
        "What attacks on the contest for the first pot earn, as a part of it. Claimed: the most that\n"
        "is promised; without a figure nothing is. Each rule stands beside what it is against."
    )
    for heading in ("attack", "setting"):
        shown.add_column(heading)
    for heading in ("who", "gain", "claimed"):
        shown.add_column(heading, justify="right", no_wrap=True)
    rows: list[dict[Any, Any]] = (
        table[table["market"] == table["market"].iloc[0]].to_dict("records") if len(table) else []
    )
    for row in rows:
        claimed = "" if isnan(row["claimed"]) else f"{row['claimed']:g}"
        broken = bool(claimed) and row["gain"] > row["claimed"] + 1e-6
        gain = f"[red]{row['gain']:.4f}[/]" if broken else f"{row['gain']:.4f}"
        shown.add_row(row["attack"], row["setting"], str(row["attackers"]), gain, claimed)
    out.print(shown)


def _print_composed(table: "pd.DataFrame", *, sound: bool) -> None:
    shown = captioned_table(_SOUND_CAPTION if sound else _PAPER_CAPTION)
    for heading in ("rule", "shades", "if honest"):
        shown.add_column(heading, no_wrap=True)
    for heading in ("parties", "tried", "who\ngain", "mean\ngain", "largest\ngain", "largest\nprice cut"):
        shown.add_column(heading, justify="right", no_wrap=True)
    rows: list[dict[Any, Any]] = table.to_dict("records")
    for row in rows:
        cut = row["largest_price_cut"]
        shown.add_row(
            row["rule"],
            row["kind"],
            row["if_honest"],
            str(row["parties"]),
            f"{row['tried']:,}",
            f"{row['gaining_share']:.0%}",
            f"{row['mean_gain_money']:.3g}",
            f"{row['largest_gain_money']:.4g}",
            "" if isnan(cut) else f"{cut:.1%}",
        )
    out.print(shown)
