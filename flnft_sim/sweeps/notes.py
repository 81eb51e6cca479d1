"""What a sweep's reader should know beside its tables."""

from collections.abc import Iterator

from flnft_sim.sweeps.tables import Results

RULE = "market.rule"


def notes(results: Results) -> Iterator[str]:
    """Sentences, none where there is nothing to say."""
    rules = list(dict.fromkeys(str(point[RULE]) for point in results.plan.points() if RULE in point))
    if len(rules) > 1 and _sellers(results) == {1}:
        yield f"one seller in every auction: {_what_rules_can_differ(rules)}"


def _sellers(results: Results) -> set[object]:
    """The most DAOs that sold in one auction, run by run; 0 where none was held."""
    summaries = (record["summary"] for _, record in results.records() if record["status"] == "ok")
    return {summary.get("sellers_most") for summary in summaries} - {0}


def _what_rules_can_differ(rules: list[str]) -> str:
    from flnft_sim.market import alike_with_one_seller, posts_the_reserve

    posting = [rule for rule in rules if posts_the_reserve(rule)]
    alike = [f"rules cannot differ that decide alike: {' = '.join(group)}" for group in alike_with_one_seller(rules)]
    text = "; ".join(alike) or "no two of these rules coincide"
    return text + (f"; {', '.join(posting)}: a posted price, the reserve" if posting else "")
