"""What happens now and why, in one plain sentence."""

from collections.abc import Mapping, Sequence

from flnft_sim.viz.scene import EVERY_DAO, Book, Figure, Scene

_DOES = {
    "decision": "negotiate over prices, effort and privacy",
    "ranking": "are ranked",
    "training": "train on their own data",
    "masking": "exchange keys and masks, so that only their sum is seen",
    "upload": "upload",
    "consensus": "wait for consensus",
    "waiting": "are done and wait for the others",
    "voting": "vote on what to ask",
    "away": "are away",
}
_NAMED = 3  # users that a sentence names; more are counted


def narrate(scene: Scene, dao: str = EVERY_DAO) -> str:
    """The sentence for a DAO, or for all of them."""
    if scene.finished:
        return _ending(scene)
    if scene.time_s == 0.0 and set(scene.states()) <= {"idle"}:
        return _opening(scene)
    auction = _auction(scene)
    if auction:
        return auction
    several = len(scene.daos) > 1
    now = _several(scene) if several and dao == EVERY_DAO else _minting(scene, dao or scene.daos[0])
    own = [pot for pot in scene.pots if dao == EVERY_DAO or pot.startswith(f"{dao} ")]
    return " ".join([now, *own[:_NAMED]])


def _opening(scene: Scene) -> str:
    who = f"{scene.users:,} users of {'one DAO' if len(scene.daos) == 1 else f'{len(scene.daos)} DAOs'}"
    buyers = sum(figure.role == "provider" for figure in scene.figures)
    if scene.sells_first:
        return (
            f"Press ▶ or the space bar: {who} are about to promise a model. {buyers} providers bid for that, and "
            "who wins pays into a pot before anything is trained."
        )
    return (
        f"Press ▶ or the space bar: {who} are about to train together and to mint their model, "
        f"for whose licences {buyers} providers will bid."
    )


def _ending(scene: Scene) -> str:
    sold = sum(line.fate == "won" for book in scene.books for line in book.lines)
    paid = sum(line.payment_money or 0.0 for book in scene.books for line in book.lines)
    last = {row["dao"]: row["accuracy"] for row in scene.rounds}
    accuracy = f" at accuracy {sum(last.values()) / len(last):.1%}" if last else ""
    trade = f"{sold} licence{'s' * (sold != 1)} sold for {paid:,.2f} money" if sold else "no licence sold"
    if scene.pots:
        ends = " ".join(scene.pots[:_NAMED])
        return f"It is over after {scene.time_s:,.1f} s: {len(scene.rounds)} rounds{accuracy}. {ends}"
    return f"It is over after {scene.time_s:,.1f} s: {len(scene.rounds)} rounds{accuracy}, {trade}."


def _auction(scene: Scene) -> str:
    """While books are under way and nobody trains any more; "" otherwise."""
    going = [book for book in scene.books if book.state not in ("funded", "settled")]
    if not going:
        return ""
    if all(book.state == "announced" for book in going):
        return f"{_books(going)} announced on the public chain; bids are taken once that is in a block."
    sealed = [book for book in going if not book.is_open]
    if sealed:
        lines = [line for book in sealed for line in book.lines]
        count = f"{len(lines)} sealed bid{'s' * (len(lines) != 1)}"
        return f"{_books(sealed)} under way: {count} so far, which nobody can read before the window closes."
    won = [line.bidder for book in going for line in book.lines if line.fate == "won"]
    names = _list(won) if won else "nobody"
    return f"Bids are open: {names} won, {going[0].price}. Money moves once that is on the public chain."


def _books(books: Sequence[Book]) -> str:
    return f"Auction {books[0].auction} is" if len(books) == 1 else f"{len(books)} auctions are"


def _several(scene: Scene) -> str:
    counts = scene.states()
    parts = [f"{counts[state]:,} {words}" for state, words in _DOES.items() if counts[state]]
    if not parts:
        return f"{len(scene.daos)} DAOs: {_idle(scene)}"
    return f"{len(scene.daos)} DAOs side by side: of {scene.users:,} users {', '.join(parts)}."


def _minting(scene: Scene, dao: str) -> str:
    own = [row for row in scene.rounds if row["dao"] == dao]
    number = own[-1]["round"] + 1 if own else 1
    counts = scene.states(dao)
    doing = {state: _who(scene, dao, state) for state in _DOES}
    head = f"Round {number}: "
    if counts["decision"] and scene.pots:
        return f"{head}members answer the pot with epochs and ε, each for its share of it."
    if counts["decision"]:
        return f"{head}users and providers negotiate; prices for quality and freshness against effort and privacy."
    if counts["voting"]:
        return f"{dao}: members vote on what to ask for their model."
    parts = [_uploads(doing["upload"], counts["upload"])] if counts["upload"] else []
    if counts["training"]:
        train = "trains on its own data" if counts["training"] == 1 else "train on their own data"
        parts.append(f"{_some(doing['training'], counts['training'])} {train}")
    if counts["masking"]:
        parts.append("members exchange keys and masks, so that only the sum of their updates is seen")
    if counts["ranking"]:
        parts.append("members are ranked by a pass over their data")
    if counts["consensus"] or (counts["waiting"] and parts):
        parts.append(_consensus(doing, counts["consensus"], counts["training"] + counts["upload"]))
    return f"{head}{'; '.join(parts)}." if parts else f"{dao}: {_idle(scene)}"


def _consensus(doing: Mapping[str, Sequence[Figure]], agreeing: int, behind: int) -> str:
    late = [*doing["training"], *doing["upload"]]
    waits = f"it still waits for {_some(late, behind)}" if behind else "no one is behind"
    if not agreeing:
        return f"the round waits for {_some(late, behind)}"
    return f"the ledger agrees on {_some(doing['consensus'], agreeing, of=True)}, {waits}"


def _uploads(figures: Sequence[Figure], count: int) -> str:
    sending = [figure for figure in figures if figure.rate_bps is not None]
    if not sending:
        return f"{_some(figures, count)} upload{'s' * (count == 1)}"
    first = max(sending, key=lambda figure: figure.rate_bps or 0.0)
    others = f" beside {count - 1} other{'s' * (count > 2)}" if count > 1 else ", the band to itself"
    return f"{first.name} uploads at {(first.rate_bps or 0.0) / 1e6:,.1f} Mbit/s{others}"


def _who(scene: Scene, dao: str, state: str) -> list[Figure]:
    users = (figure for figure in scene.figures if figure.role == "user" and figure.activity == state)
    return [figure for figure in users if scene.members.get(figure.name) == dao]


def _some(figures: Sequence[Figure], count: int, *, of: bool = False) -> str:
    """Names of a few, the number of many; `of` for what is theirs."""
    if 0 < len(figures) <= _NAMED:
        names = _list([figure.name for figure in figures])
        return f"{names}'s update{'s' * (len(figures) > 1)}" if of else names
    return f"{count:,} updates" if of else f"{count:,} users"


def _list(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        return f"{len(names)} providers"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _idle(scene: Scene) -> str:
    if any(figure.role == "contract" and figure.activity == "bidding" for figure in scene.figures):
        return "the auction is being announced on the public chain."
    if any(book.state == "funded" for book in scene.books):
        return "a mint, what measures it, or the deadline is waited for."
    if scene.flows:
        return "money has moved; the next episode is about to begin."
    if scene.sells_first and not scene.books:
        return "bonds are posted, and test sets committed to, on the public chain."
    if len(scene.rounds) >= scene.rounds_planned:
        return "the model is minted: its transaction waits for a block of the public chain, then the market opens."
    return "between two rounds."
