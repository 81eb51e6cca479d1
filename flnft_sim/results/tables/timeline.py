"""The tables of the timeline: `spans`, `counters`, `phases`, `positions`, `moves`, `rates`."""

from dataclasses import dataclass

from flnft_sim.results.tables.columns import column


@dataclass(slots=True, kw_only=True)
class SpanRow:
    """What an agent did, from when to when."""

    agent: str = column("who")
    dao: str = column("for which DAO's minting (dao-0-e1: of episode 1), empty for none")
    phase: str = column("doing what")
    round: int | None = column("in which round, empty for none")
    start_s: float = column("from when")
    end_s: float = column("to when")
    details: str = column("JSON of what else is known, empty for nothing")
    duration_s: float = column("for how long")


@dataclass(slots=True, kw_only=True)
class CounterRow:
    """A quantity that changed."""

    track: str = column("of whom: a DAO or a chain")
    name: str = column("which quantity")
    time_s: float = column("from when on")
    value: float = column("its value from then on", unit="that of the quantity")


@dataclass(slots=True, kw_only=True)
class PhaseRow:
    """A phase on the critical path of a minting."""

    dao: str = column("whose minting (dao-0-e1: of episode 1)")
    round: int | None = column("in which round, empty for the minting itself")
    phase: str = column("which phase")
    duration_us: int = column("how long, exactly: these add up to the minting time")
    duration_s: float = column("how long")


@dataclass(slots=True, kw_only=True)
class PositionRow:
    """Where somebody is at the end of the run, and what the radio link would do with the band to itself."""

    name: str = column("who")
    role: str = column("user or base station")
    x_m: float = column("east of the area's corner")
    y_m: float = column("north of the area's corner")
    sinr_db: float = column("mean signal to noise over the whole band", source="Eq. 11")
    rate_bps: float = column("rate of an upload alone", source="Eq. 11")


@dataclass(slots=True, kw_only=True)
class MoveRow:
    """A corner of a user's way, which is straight between two of them; of a user that stays there is none."""

    user: str = column("who")
    time_s: float = column("when")
    x_m: float = column("east of the area's corner")
    y_m: float = column("north of the area's corner")


@dataclass(slots=True, kw_only=True)
class RateRow:
    """The rate of an upload, told again where it has changed by a quarter; of more than 100 users none is kept."""

    user: str = column("who")
    time_s: float = column("from when on, to 0.1 ms")
    rate_bps: int = column("how fast it sends from then on, to three digits; 0 while its link is down", source="Eq. 11")
