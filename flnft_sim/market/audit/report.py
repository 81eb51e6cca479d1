"""Audit a clearing rule: the worst that truth, taking part and the budget suffer, and what the rule achieves."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.errors import InputError
from flnft_sim.market.audit.counterexample import Counterexample, Promise
from flnft_sim.market.audit.markets import Markets, market_stacks
from flnft_sim.market.audit.search import ROUNDING, Side, best_lies, buyer_utilities, seller_utilities
from flnft_sim.market.audit.terms import asks_to_audit, clear_stack_in
from flnft_sim.market.clearing import ClearedStack
from flnft_sim.market.rules.base import RULES, Asks
from flnft_sim.streams import checked_seed

PROPERTIES = {"ic": ("ic-buyer", "ic-seller"), "ir": ("ir-buyer", "ir-seller"), "bb": ("bb",)}
"""Incentive compatibility, individual rationality, budget balance: which promises each consists of."""

_REPORTS_AT_ONCE = 400_000  # bounds the memory of the search to some tens of megabytes


@dataclass(frozen=True)
class AuditReport:
    """What an audit found. Money, in markets whose largest amount is at most 10; below rounding counts as 0."""

    rule: str
    asks: Asks
    """What costs and asks were in these markets: for each licence or in total."""
    markets: int
    seed: int
    max_buyer_gain: float
    """The most one provider gains by misreporting."""
    max_seller_gain: float
    """The most one DAO gains by misreporting."""
    min_utility: float
    """The worst utility of a truthful participant."""
    min_surplus: float
    """The worst surplus; negative is a deficit."""
    efficiency: float
    """Mean ratio of realised to first-best welfare, over the markets in which trade is worth anything."""
    worst_efficiency: float
    revenue: float
    """Mean money to the DAOs per market."""
    trades: float
    """Share of markets with a trade."""
    below_cost: float
    """Share of the trades, all reports truthful, that leave a selling DAO with less than its cost."""
    violations: dict[Promise, int]
    """In how many markets each promise is broken."""
    counterexamples: dict[Promise, Counterexample]
    """The worst counterexample of each broken promise, simplified."""

    def holds(self, name: str) -> bool:
        """Whether `ic`, `ir` or `bb` held in every market."""
        if name not in PROPERTIES:
            raise InputError(f"there is no property {name!r}; choose from {', '.join(PROPERTIES)}")
        return not any(self.violations[promise] for promise in _promises(name))


def audit(rule: str, *, markets: int = 2000, seed: int = 0, asks: Asks | None = None) -> AuditReport:
    """Search `markets` random and structured markets for broken promises of `rule`; the same seed, the same report.

    A provider's utility is its value less its payment, a DAO's what it receives less its cost: a constant one per
    licence granted or, under a rule on total asks and wherever `asks` says so, one total if it sells at all. A rule on
    asks per licence is then given each bidder's part of the total, as the auction contract does. Truth is a report
    equal to the value or the cost, and a lie is held against truth with all others' reports, the reserve and the draw
    between ties as they are.
    """
    RULES.get(rule)
    kind = asks_to_audit(rule, asks)
    if markets < 1:
        raise InputError(f"an audit of {markets} markets; give at least 1")
    findings = _Findings(rule, kind)
    rng = np.random.default_rng(checked_seed(seed))
    for stack in market_stacks(markets, rng, kind):
        for part in _parts(stack):
            findings.examine(part, tie_seed=int(rng.integers(2**31)))
    return findings.report(seed)


@dataclass
class _Worst:
    """The largest violation of one promise so far."""

    violation: float = 0.0
    count: int = 0
    example: Counterexample | None = None


@dataclass
class _Findings:
    """Accumulates over stacks of markets what the report says."""

    rule: str
    asks: Asks
    worst: dict[Promise, _Worst] = field(default_factory=lambda: {p: _Worst() for p in _all_promises()})
    markets: int = 0
    traded: int = 0
    below_cost: int = 0
    revenue: float = 0.0
    ratios: list[Floats] = field(default_factory=list)

    def examine(self, markets: Markets, *, tie_seed: int) -> None:
        """Clear a stack truthfully, then let every party lie."""
        truth = clear_stack_in(self.asks, self.rule, markets.values, markets.costs, markets.reserve, seed=tie_seed)
        self._welfare(markets, truth)
        buyers, sellers = buyer_utilities(markets, truth), seller_utilities(markets, truth)
        self.below_cost += int(np.count_nonzero(sellers.min(axis=1) < -ROUNDING * markets.scale))
        self._note("ir-buyer", markets, -buyers.min(axis=1), tie_seed, party=buyers.argmin(axis=1))
        self._note("ir-seller", markets, -sellers.min(axis=1), tie_seed, party=sellers.argmin(axis=1))
        self._note("bb", markets, truth.receipts.sum(axis=1) - truth.payments.sum(axis=1), tie_seed)
        self._lies("ic-buyer", "buyer", markets, truth, tie_seed)
        self._lies("ic-seller", "seller", markets, truth, tie_seed)

    def _lies(self, promise: Promise, side: Side, markets: Markets, truth: ClearedStack, tie_seed: int) -> None:
        parties = (markets.values if side == "buyer" else markets.costs).shape[1]
        found = [best_lies(self.rule, markets, truth, side, party, seed=tie_seed) for party in range(parties)]
        gains, reports = np.stack([f.gain for f in found]), np.stack([f.report for f in found])
        party = gains.argmax(axis=0)
        rows = np.arange(len(markets))
        self._note(promise, markets, gains[party, rows], tie_seed, party=party, report=reports[party, rows])

    def _note(
        self,
        promise: Promise,
        markets: Markets,
        violation: Floats,
        tie_seed: int,
        *,
        party: np.ndarray | None = None,
        report: Floats | None = None,
    ) -> None:
        violation = np.where(violation > ROUNDING * markets.scale, violation, 0.0)
        worst = self.worst[promise]
        worst.count += int(np.count_nonzero(violation))
        i = int(violation.argmax())
        if violation[i] <= worst.violation:
            return
        worst.violation = float(violation[i])
        worst.example = Counterexample(
            rule=self.rule,
            promise=promise,
            values=tuple(markets.values[i].tolist()),
            costs=tuple(markets.costs[i].tolist()),
            reserve=float(markets.reserve[i]),
            seed=tie_seed,
            party=None if party is None else int(party[i]),
            report=None if report is None else float(report[i]),
            asks=self.asks,
        )

    def _welfare(self, markets: Markets, truth: ClearedStack) -> None:
        self.markets += len(markets)
        self.traded += int(np.count_nonzero(truth.wins.any(axis=1)))
        self.revenue += float(truth.receipts.sum())
        best = markets.first_best
        self.ratios.append((welfare(markets, truth) / np.where(best > 0, best, 1.0))[best > 0])

    def report(self, seed: int) -> AuditReport:
        """Sum up; the few counterexamples that were kept are polished and simplified only now."""
        for worst in self.worst.values():
            if worst.example is not None:
                worst.example = worst.example.polished()
                worst.violation = worst.example.violation()
        ratios = np.concatenate(self.ratios)
        losses = max(self.worst["ir-buyer"].violation, self.worst["ir-seller"].violation)
        return AuditReport(
            rule=self.rule,
            asks=self.asks,
            markets=self.markets,
            seed=seed,
            max_buyer_gain=self.worst["ic-buyer"].violation,
            max_seller_gain=self.worst["ic-seller"].violation,
            min_utility=0.0 - losses,
            min_surplus=0.0 - self.worst["bb"].violation,
            efficiency=float(ratios.mean()) if ratios.size else 1.0,
            worst_efficiency=float(ratios.min()) if ratios.size else 1.0,
            revenue=self.revenue / self.markets,
            trades=self.traded / self.markets,
            below_cost=self.below_cost / self.traded if self.traded else 0.0,
            violations={promise: worst.count for promise, worst in self.worst.items()},
            counterexamples={p: w.example.simplified() for p, w in self.worst.items() if w.example is not None},
        )


def welfare(markets: Markets, cleared: ClearedStack) -> Floats:
    """(B,) what the served providers value, less what serving them costs; payments only move it around."""
    value = np.where(cleared.wins, markets.values, 0.0).sum(axis=1)
    return value - markets.cost_of(cleared.licences).sum(axis=1)


def _parts(stack: Markets) -> Iterator[Markets]:
    bidders, daos = stack.values.shape[1], stack.costs.shape[1]
    parties = bidders + daos
    shares = bidders * (daos + 2) if stack.asks == "total" else 0
    size = max(1, _REPORTS_AT_ONCE // (parties * (4 * (parties + shares) + 24)))
    for start in range(0, len(stack), size):
        yield stack[start : start + size]


def _promises(name: str) -> Iterable[Promise]:
    return PROPERTIES[name]  # type: ignore[return-value]


def _all_promises() -> list[Promise]:
    return [promise for name in PROPERTIES for promise in _promises(name)]
