"""One market in which a rule breaks a promise: measured anew, made small enough for a pencil, kept as JSON."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

import numpy as np

from flnft_sim.errors import InputError
from flnft_sim.market.audit.markets import cost_of
from flnft_sim.market.audit.terms import clear_in
from flnft_sim.market.clearing import Clearing
from flnft_sim.market.rules.base import Asks

type Promise = Literal["ic-buyer", "ic-seller", "ir-buyer", "ir-seller", "bb"]
type Unclaimed = Literal["false-name-buyer", "false-name-seller", "sellers-together", "buyer-and-seller"]
"""What no rule here promises: that a second name earns nothing, nor a pact of two DAOs, or of a provider and a DAO."""

NOBODYS_ASK = 1e9
"""The ask of a second name that is not used: nobody meets it, but the draw between equals is that of one name more."""

_FORMAT = 1
_POLISHING_STEPS = 40
_DRAWS = 4


@dataclass(frozen=True)
class Counterexample:
    """A market and, where the promise is truthfulness, one party's lie that pays."""

    rule: str
    promise: Promise | Unclaimed
    values: tuple[float, ...]
    """True values of the providers, which all but a liar bid."""
    costs: tuple[float, ...]
    """True costs of the DAOs, per licence or in total, which all but a liar ask."""
    reserve: float
    seed: int
    """Seed of the draw between equal reports."""
    party: int | None = None
    """Index of the buyer or seller that gains or loses; None for `bb`."""
    report: float | None = None
    """What the liar reports instead of the truth; a provider with a second name by both, a DAO by the second."""
    asks: Asks = "per-licence"
    """What costs, asks and the reserve are: for each licence or in total."""
    partner: int | None = None
    """Index of the DAO or provider whose gain counts with the liar's, where two have a pact."""

    @property
    def side(self) -> str:
        """Whose promise is broken: buyer, seller or (for the budget) the auctioneer; of a pact, whose report lies."""
        return "auctioneer" if self.promise == "bb" else "buyer" if self.promise.endswith("buyer") else "seller"

    @property
    def partner_side(self) -> str:
        """On which side the partner of a pact stands; empty where there is none."""
        return {"sellers-together": "seller", "buyer-and-seller": "buyer"}.get(self.promise, "")

    @property
    def is_second_name(self) -> bool:
        """Whether the liar takes part twice."""
        return self.promise.startswith("false-name")

    def honest(self) -> Clearing:
        """The market under truth; a second name is there and stays idle."""
        names = (0.0, NOBODYS_ASK) if self.is_second_name else ()
        return self._with_second(self.values, self.costs, *names)

    def lying(self) -> Clearing:
        """The market under the lie; under truth where there is none."""
        bids, asks = list(self.values), list(self.costs)
        if self.report is None or self.party is None:
            return self._cleared(bids, asks)
        if self.promise != "false-name-seller":
            (bids if self.side == "buyer" else asks)[self.party] = self.report
        names = (self.report, self.report) if self.is_second_name else ()
        return self._with_second(bids, asks, *names)

    def _with_second(self, bids: Sequence[float], asks: Sequence[float], *names: float) -> Clearing:
        """Cleared with the bid or the ask of the second name, whichever side has one."""
        if names and self.side == "buyer":
            return self._cleared([*bids, names[0]], asks)
        return self._cleared(bids, [*asks, names[1]] if names else asks)

    def _cleared(self, bids: Sequence[float], asks: Sequence[float]) -> Clearing:
        return clear_in(self.asks, self.rule, bids, asks, reserve=self.reserve, seed=self.seed)

    def utility(self, cleared: Clearing) -> float:
        """The party's true utility, its partner's with it, or the surplus where the promise is a balanced budget."""
        if self.party is None:
            return cleared.surplus
        shared = self._utility_of(self.partner_side, self.partner, cleared) if self.partner is not None else 0.0
        return self._utility_of(self.side, self.party, cleared) + shared

    def _utility_of(self, side: str, party: int, cleared: Clearing) -> float:
        """Under whatever names it stands in the market."""
        names = [party, -1] if self.is_second_name and side == self.side else [party]
        if side == "buyer":
            wins = np.isin(cleared.buyers, np.arange(cleared.payments.size)[names]).any()
            return float(self.values[party] * wins - cleared.payments[names].sum())
        granted = np.asarray([cleared.licences[names].sum()])
        return float(cleared.receipts[names].sum() - cost_of(granted, np.asarray(self.costs[party]), self.asks)[0])

    def violation(self) -> float:
        """By how much money the promise is broken: the lie's gain, or the loss; 0 or less where it is kept."""
        honest = self.utility(self.honest())
        return -honest if self.report is None else self.utility(self.lying()) - honest

    def polished(self) -> "Counterexample":
        """The most profitable lie that a coordinate search from this one finds."""
        if self.report is None:
            return self
        best, gain = self, self.violation()
        step = max(*self.values, *self.costs) / 4
        for _ in range(_POLISHING_STEPS):
            tried = [replace(best, report=max((best.report or 0.0) + move, 0.0)) for move in (-step, step)]
            better = max(tried, key=Counterexample.violation)
            if (new_gain := better.violation()) > gain:
                best, gain = better, new_gain
            else:
                step /= 2
        return best

    def simplified(self) -> "Counterexample":
        """Fewer parties and rounder numbers while at least half of the violation remains."""
        enough = self.violation() / 2
        simple = self
        changed = True
        while changed:
            changed = False
            for simpler in _simpler(simple):
                if simpler.violation() >= enough:
                    simple, changed = simpler, True
                    break
        return simple

    def story(self) -> str:
        """What happens, line by line, for a reader with a pencil."""
        reserve = "none" if np.isinf(self.reserve) else f"{self.reserve:g}"
        costs = "total costs" if self.asks == "total" else "costs per licence"
        broken = "does not withstand" if self.promise in get_args(Unclaimed.__value__) else "breaks"
        lines = [
            f"{self.rule} {broken} {self.promise}",
            f"  values of the providers {_listed(self.values)}, {costs} of the DAOs {_listed(self.costs)}",
            f"  reserve {reserve}, draw between equals from seed {self.seed}",
            *_outcome("all truthful", self.honest()),
        ]
        who = "the surplus" if self.party is None else f"the utility of {self.side} {self.party}"
        if self.partner is not None:
            who += f" with {self.partner_side} {self.partner}"
        lines.append(f"    {who} is {self.utility(self.honest()):.6g}")
        if self.report is not None:
            lines += _outcome(f"{self.side} {self.party} {self._deed()}", self.lying())
            lines.append(f"    {who} is {self.utility(self.lying()):.6g}")
        return "\n".join([*lines, f"  violation: {self.violation():.6g}"])

    def sentence(self) -> str:
        """Who reports what in which market, and what it earns, in a line."""
        reserve = "" if np.isinf(self.reserve) else f", reserve {self.reserve:g}"
        together = "" if self.partner is None else f", with {self.partner_side} {self.partner}"
        deed = f"{self.side} {self.party} {self._deed()}" if self.report is not None else "all truthful"
        market = f"values {_listed(self.values)}, costs {_listed(self.costs)}{reserve}"
        return f"{market}: {deed}{together}: {self.violation():.4g}"

    def _deed(self) -> str:
        if self.promise == "false-name-buyer":
            return f"bids {self.report:g} under each of two names"
        return f"asks {self.report:g} by a second name" if self.is_second_name else f"reports {self.report:g}"

    def to_json(self) -> str:
        """The counterexample as a JSON document that `from_json` reads back; no reserve is null."""
        content = asdict(self) | {"reserve": None if np.isinf(self.reserve) else self.reserve}
        document = {"flnft_counterexample": _FORMAT, **content, "violation": self.violation()}
        return json.dumps(document, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, *, source: str = "counterexample") -> "Counterexample":
        """Read what `to_json` wrote; `InputError` naming `source` where it is something else."""
        try:
            document = json.loads(text)
            if document["flnft_counterexample"] != _FORMAT:
                raise ValueError(f"format {document['flnft_counterexample']}")
            document = {"asks": "per-licence", "partner": None, **document}  # not in files of earlier versions
            content = {field.name: document[field.name] for field in fields(cls)}
            content["values"], content["costs"] = tuple(content["values"]), tuple(content["costs"])
            content["reserve"] = np.inf if content["reserve"] is None else content["reserve"]
            return cls(**content)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{source} is no counterexample of `flnft audit` ({error!r}); give a file it wrote"
            ) from None


def _simpler(example: Counterexample) -> Iterator[Counterexample]:
    """The same with one party less, without the reserve, or with one number rounder; the boldest change first."""
    for side, name in (("buyer", "values"), ("seller", "costs")):
        amounts = getattr(example, name)
        ours = {"party": example.party} if side == example.side else {}
        ours |= {"partner": example.partner} if side == example.partner_side else {}
        for index in range(len(amounts) - 1, -1, -1):
            if len(amounts) == 1 or index in ours.values():
                continue
            moved = {who: place - (index < place) for who, place in ours.items() if place is not None}
            fewer = _changed(example, {name: amounts[:index] + amounts[index + 1 :], **moved})
            # With another number of parties a seed draws differently between equals.
            yield from (replace(fewer, seed=seed) for seed in (example.seed, *range(_DRAWS)))
    if np.isfinite(example.reserve):
        yield replace(example, reserve=np.inf)
    for digits in (0, 1, 2):
        together = {
            name: tuple(round(amount, digits) for amount in getattr(example, name)) for name in ("values", "costs")
        }
        if any(getattr(example, name) != amounts for name, amounts in together.items()):
            yield _changed(example, together)  # equal amounts stay equal, which one by one they would not
        for name in ("values", "costs"):
            amounts = getattr(example, name)
            for index, amount in enumerate(amounts):
                if (rounder := round(amount, digits)) != amount:
                    yield _changed(example, {name: (*amounts[:index], rounder, *amounts[index + 1 :])})
        for name in ("report", "reserve"):
            amount = getattr(example, name)
            if amount is not None and np.isfinite(amount) and (rounder := round(amount, digits)) != amount:
                yield _changed(example, {name: rounder})


def _outcome(heading: str, cleared: Clearing) -> list[str]:
    return [
        f"  {heading}:",
        f"    winning providers {_listed(cleared.buyers)} pay {_listed(cleared.payments[cleared.buyers])}",
        f"    selling DAOs {_listed(cleared.sellers)} grant {_listed(cleared.licences[cleared.sellers])} licences and "
        f"receive {_listed(cleared.receipts[cleared.sellers])}",
    ]


def _listed(numbers: Iterable[float]) -> str:
    return "(" + ", ".join(f"{number:g}" for number in numbers) + ")"


def _changed(example: Counterexample, changes: dict[str, Any]) -> Counterexample:
    return replace(example, **changes)
