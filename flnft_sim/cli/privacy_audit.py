"""`flnft audit --privacy`: a lower bound on ε beside what a scenario claims."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from flnft_sim.cli.console import captioned_table, err, out, print_json
from flnft_sim.errors import FlnftError

if TYPE_CHECKING:
    from flnft_sim.experiments.privacy_audit import PrivacyAudit

_SEEDS = 3


class ClaimRefuted(FlnftError):
    """More is found out than the claimed ε allows."""


def audit_privacy(scenario: str, seed: int, *, as_json: bool) -> None:
    """Audit the claims of a scenario; raises `ClaimRefuted` where a bound is above the claim."""
    from flnft_sim.experiments.privacy_audit import claims, privacy_audit
    from flnft_sim.learning.canaries import CANARIES
    from flnft_sim.scenario import load_scenario

    resolved = load_scenario(scenario)
    err.print(f"[dim]training on {CANARIES:,} canaries, {_SEEDS} times a claim …[/]")
    seeds, learning = range(seed, seed + _SEEDS), resolved.learning
    audits = [
        privacy_audit(claim, engine=learning.engine, device=learning.device, seeds=seeds) for claim in claims(resolved)
    ]
    _print(audits)
    if as_json:
        print_json([asdict(audit.claim) | {"bounds": audit.bounds, "holds": audit.holds} for audit in audits])
    refuted = [audit for audit in audits if not audit.holds]
    if refuted:
        told = ", ".join(f"ε = {each.claim.epsilon:g} (at least {max(each.bounds):.2f})" for each in refuted)
        raise ClaimRefuted(f"the claim does not hold for {told}: noise or clipping are not what was accounted for")


def _print(audits: Sequence["PrivacyAudit"]) -> None:
    table = captioned_table(
        "A lower bound at 95 % refutes a claim that it exceeds, and proves none: half of the noise is not\n"
        "seen. White box, Dirac canaries (Steinke, Nasr and Jagielski 2023)."
    )
    for heading in ("claimed\nε", "at δ", "rate\nq", "noise\nσ", "steps", "ε at\nleast", "largest\nof all", "claim"):
        table.add_column(heading, justify="right", no_wrap=True)
    for audit in audits:
        claim, bounds = audit.claim, audit.bounds
        table.add_row(
            f"{claim.epsilon:g}",
            f"{claim.delta:g}",
            f"{claim.sampling_rate:g}",
            f"{claim.noise_multiplier:.4g}",
            f"{claim.steps:,}",
            f"{sum(bounds) / len(bounds):.2f}",
            f"{max(bounds):.2f}",
            "[green]not refuted[/]" if audit.holds else "[red]refuted[/]",
        )
    out.print(table)
