"""What columns and figures were called in earlier versions."""

from collections.abc import Mapping

#: Columns and figures of a summary -> what they are called now; what earlier versions wrote is read with these names.
RENAMED: Mapping[str, Mapping[str, str]] = {
    "users": {"cost_money": "cost_round_money"},
    "summary": {"cost_money": "cost_round_money"},
}


def as_of_now[T](table: str, named: Mapping[str, T]) -> dict[str, T]:
    """Columns of a table, or figures of a summary, under the names of today."""
    names = RENAMED.get(table, {})
    return {names.get(name, name): value for name, value in named.items()}
