"""One line of the summary: how much faster than a peer, and what share of a limit; both without a unit."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What was measured, `ratio` times as fast as `peer`, at `share` of `limit`; either may be missing."""

    what: str
    ratio: float | None = None
    peer: str = ""
    share: float | None = None
    limit: str = ""
