"""`flnft audit --riding`: what a user gains by riding, lying and splitting itself, as one table."""

from collections.abc import Sequence
from math import isnan
from typing import Any

from flnft_sim.cli.console import captioned_table, err, out, print_json
from flnft_sim.errors import InputError

_CAPTION = (
    "What one user gains in cash (money it gets and cost it saves) by a deviation, all others\n"
    "honest: mean over seeds, 95 % interval, paired by seed. Red pays: all of it is above 0."
)


def audit_riding(scenario: str, measures: str, aggregators: str, seeds: int, first_seed: int, *, as_json: bool) -> None:
    """Let one user of a scenario deviate in each way, under each measure and aggregator."""
    from flnft_sim.experiments.riding_audit import gains, planned, riding_runs

    if seeds < 1:
        raise InputError(f"--seeds {seeds}: give at least 1, and 2 for an interval")
    names = _names("--measures", measures), _names("--aggregators", aggregators)
    runs = planned(scenario, *names, range(first_seed, first_seed + seeds))
    table = gains(riding_runs(runs, progress=lambda text: err.print(f"[dim]run {text}[/]")))
    rows = table.to_dict("records")
    _print(rows)
    if as_json:
        print_json(rows)


def _names(option: str, text: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise InputError(f"{option} {text!r}: name at least one, several apart by commas")
    return names


def _print(rows: Sequence[dict[Any, Any]]) -> None:
    shown = captioned_table(_CAPTION)
    for heading in ("paid by", "average", "deviation"):
        shown.add_column(heading, no_wrap=True)
    for heading in ("honest\ngets", "it\ngets", "it\nsaves", "it gains", "model,\npoints"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        low, high = row["ci95_low"], row["ci95_high"]
        colour = "red" if low > 0 else "green" if high < 0 else ""
        gain = f"{row['gain_money']:+,.1f}" + ("" if isnan(low) else f" ± {high - row['gain_money']:,.1f}")
        shown.add_row(
            row["contribution"],
            row["aggregator"],
            row["deviation"],
            f"{row['honest_money']:,.1f}",
            f"{row['deviating_money']:,.1f}",
            f"{row['saved_money']:,.1f}",
            f"[{colour}]{gain}[/]" if colour else gain,
            f"{row['accuracy_points']:+.1f}",
        )
    out.print(shown)
