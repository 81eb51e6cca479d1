"""What has happened, in plain words: out of spans, finished rounds and closed auctions."""

from collections.abc import Iterable, Iterator

from flnft_sim.results.phase import Phase
from flnft_sim.viz.scene import Happening, Row, Span

_FEW = 40  # with more users, what each of them does is no news


def of_spans(spans: Iterable[Span], users: int) -> Iterator[Happening]:
    """One for every span whose end is news."""
    for span in spans:
        if span.agent.startswith("user-") and users > _FEW:
            continue
        words = _words(span)
        if words:
            yield Happening(span.end_s, words)


def of_round(row: Row) -> Happening:
    """The end of a round, out of its row of the table `rounds`."""
    came = f"{row['delivered']} of {row['participants']} updates came in"
    return Happening(row["end_s"], f"{row['dao']} ends round {row['round']}: accuracy {row['accuracy']:.1%}, {came}")


def of_outcome(row: Row, end_s: float) -> Happening | None:
    """A user's round that came to nothing, out of its row of the table `users`."""
    if row["outcome"] not in ("late", "dropped out", "stalled", "aborted"):
        return None
    return Happening(end_s, f"{row['user']}: {row['outcome']} in round {row['round']}")


def of_auction(row: Row) -> Happening:
    """The opening of an auction's bids, out of its row of the table `auctions`."""
    sold = f"{row['winners']} of {row['bidders']} bids win" if row["winners"] else f"nothing sold, {row['reason']}"
    return Happening(row["closed_at_s"], f"{row['auction']}: the window closes, bids are opened: {sold}")


def _words(span: Span) -> str:
    """What the end of a span means; "" where it is no news."""
    seconds, who = f"{span.end_s - span.start_s:,.2f} s", span.agent
    match span.phase:
        case Phase.DECISION if who.startswith("dao-"):
            return f"{who}: prices and answers settled in {seconds} (round {span.round})"
        case Phase.UPLOAD:
            return f"{who} has sent its update in {seconds}"
        case Phase.CONSENSUS:
            return f"{who}'s update is final after {seconds} of consensus"
        case Phase.MINTING:
            return f"{who} has minted its model: final on the public chain"
        case Phase.VOTING if who.startswith("dao-"):
            return f"{who}: members have agreed on what to ask"
        case Phase.BIDDING if who.startswith("provider-"):
            return f"{who}'s sealed bid is in a block"
        case Phase.CLEARING:
            return "the auction's result is on the public chain"
        case Phase.SETTLEMENT:
            return "winners have paid, members are paid, escrows are returned"
        case Phase.ACCESS:
            return f"{who} has the model, {seconds} after its turn came"
    return ""
