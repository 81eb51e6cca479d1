"""The scenes of a finished run, out of its files; nothing is trained."""

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from flnft_sim.errors import FORMLESS, FlnftError, InputError, bare
from flnft_sim.ledger import Block
from flnft_sim.results import RunResult
from flnft_sim.results.reading import damaged
from flnft_sim.results.summary import saw_teeth
from flnft_sim.results.told import Told
from flnft_sim.viz import happenings
from flnft_sim.viz.book import beliefs_of, opened_book, sealed_book
from flnft_sim.viz.live import BLOCKS_SHOWN, HAPPENINGS_KEPT, badges_of, episode_of, line_of, row_facts
from flnft_sim.viz.motion import Motion
from flnft_sim.viz.parts import parts_of
from flnft_sim.viz.pots import of_delivery, pots_of
from flnft_sim.viz.scene import (
    EVERY_DAO,
    Belief,
    BlockLine,
    Book,
    Crowd,
    Figure,
    Flow,
    Happening,
    Row,
    Scene,
    Span,
    UserMeans,
    beside,
    records,
    seconds_by_phase,
)
from flnft_sim.viz.show import Jump

_MOST_FIGURES = 1000  # more users are a crowd
_NO_NEWS = {"waiting", "aggregation"}  # where a phase begins that the story does not stop at
_SPAN_TEXTS, _SPAN_TIMES = ("agent", "dao", "phase"), ("start_s", "end_s")


class Playback:
    """A finished run as a function of time, which sessions share: nothing in it changes."""

    def __init__(self, result: RunResult, name: str = "run") -> None:
        if result.spans.empty:
            raise InputError("the run has no spans to play back; give a folder of a run that got as far as one round")
        self.result = result
        self.name = name
        self.end_s = float(result.spans["end_s"].max())
        self.rounds = records(result.rounds.sort_values("end_s", kind="stable"))
        self.round_ends_s = [float(row["end_s"]) for row in self.rounds]
        trained = (row["dao"] for row in self.rounds)
        self.daos = list(dict.fromkeys([*sorted(set(result.promises["dao"])), *trained])) or ["dao-0"]
        self._users: dict[tuple[Any, ...], list[Row]] = {}
        for row in records(result.users):
            self._users.setdefault(_key(row), []).append(row)
        self._members = {row["user"]: row["dao"] for rows in self._users.values() for row in rows}
        self._means = [self._mean(row) for row in self.rounds]
        self._blocks = [Block.from_line(line) for line in result.ledger_lines]
        self._names = dict(zip(result.accounts["address"], result.accounts["name"], strict=True))
        self._places = records(result.positions)
        self._area_m = _area(result)
        self._motion = Motion(result)
        self._providers = result.accounts[result.accounts["role"] == "provider"]["name"].tolist()
        self._auctions = {row["auction"]: row for row in records(result.auctions)}
        self._bids: dict[str, list[Row]] = defaultdict(list)
        for bid in records(result.bids):
            self._bids[bid["auction"]].append(bid)
        self.spans = _spans(result.spans)
        self._starts_s = sorted((span.start_s, number) for number, span in enumerate(self.spans))
        self._ages = list(saw_teeth(result.aoi))
        self._sealed = self._ciphertexts()
        self._phases = lru_cache(maxsize=64)(self._phases_of)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The playback of a run's folder. Raises `InputError` where it is damaged or shows nothing."""
        result = RunResult.load(folder)
        try:
            playback = cls(result, folder.name)
            for time_s in (0.0, playback.end_s):
                parts_of(playback.at(time_s), EVERY_DAO)
        except FlnftError as error:
            raise InputError(f"{bare(str(folder))}: {error}") from None
        except FORMLESS as error:
            raise damaged(folder, error) from error
        return playback

    # ---- what is to be seen ------------------------------------------------------------------------------------------

    def at(self, time_s: float) -> Scene:
        """What was to be seen at `time_s`."""
        done = bisect_right(self.round_ends_s, time_s)
        last_rows = self._last_rows(done)
        books = self._books(time_s)
        now = self._spans_at(time_s)
        finished = time_s >= self.end_s
        return Scene(
            time_s=time_s,
            state="finished" if finished else f"{done} of {len(self.rounds)} rounds done",
            finished=finished,
            area_m=self._area_m,
            users=self._user_count,
            daos=self.daos,
            figures=self._figures(time_s, now, books),
            crowd=self._crowd(now),
            rounds=self.rounds[:done],
            rounds_planned=len(self.rounds),
            mean_ages_s=self._mean_ages_s(time_s),
            user_ages_s={name: row["age_s"] for name, row in last_rows.items() if row["takes_part"]},
            members=self._members,
            user_means=self._means[:done],
            phases_s=self._phases_s(time_s, done),
            books=books,
            beliefs=self._beliefs(books),
            flows=self._flows(books, time_s, now),
            pots=self._pots(books),
            sells_first=bool(self._deliveries) and Told(self.result).setting("market.order") == "presale",
            blocks=self._last_blocks(time_s),
            happenings=self._happenings_until(time_s),
        )

    def facts(self, name: str, time_s: float) -> dict[str, str]:
        """What there is to know of one agent at that time, by label."""
        place = next((place for place in self._places if place["name"] == name), None)
        if place is None:
            return {
                f"bid in {auction}": f"{bid['total_money']:,.2f} money"
                for auction, row in self._auctions.items()
                if row["closed_at_s"] <= time_s
                for bid in self._bids[auction]
                if bid["provider"] == name
            }
        row = self._last_rows(bisect_right(self.round_ends_s, time_s)).get(name)
        facts = {"mean SINR": f"{place['sinr_db']:.1f} dB"} if place["role"] == "user" else {}
        return facts | (row_facts(row) if row is not None else {})

    # ---- jumps -------------------------------------------------------------------------------------------------------

    def goal_s(self, jump: Jump, time_s: float) -> float:
        """Where a jump from `time_s` leads."""
        if jump is Jump.ROUND:
            return next((end_s for end_s in self.round_ends_s if end_s > time_s), self.end_s)
        if jump is Jump.AUCTION:
            return next((opening_s for _, opening_s in self._openings if opening_s > time_s), self.end_s)
        wanted = {span.phase for span in self.spans} - set(self._spans_at(time_s).values()) - _NO_NEWS
        later = self._starts_s[bisect_right(self._starts_s, (time_s, len(self.spans))) :]
        starts = (start_s for start_s, number in later if self.spans[number].phase in wanted)
        return self.end_s if jump is Jump.END else next(starts, self.end_s)

    # ---- parts -------------------------------------------------------------------------------------------------------

    def _mean(self, round_row: Row) -> UserMeans:
        part = [row for row in self._users.get(_key(round_row), []) if row["takes_part"]]
        utility, surplus = (
            float(np.mean([row[column] for row in part])) if part else float("nan")
            for column in ("user_utility", "cash_surplus_money")
        )
        dao, episode, number = _key(round_row)
        return UserMeans(dao, episode, number, float(round_row["end_s"]), utility, surplus)

    def _last_rows(self, done: int) -> dict[str, Row]:
        """By user, its row of its DAO's last finished round."""
        last_rounds = {row["dao"]: row for row in self.rounds[:done]}
        return {row["user"]: row for last in last_rounds.values() for row in self._users.get(_key(last), [])}

    @cached_property
    def _user_count(self) -> int:
        return sum(place["role"] == "user" for place in self._places)

    @cached_property
    def _longest_s(self) -> float:
        return max(span.end_s - span.start_s for span in self.spans)

    def _spans_at(self, time_s: float) -> dict[str, str]:
        """Who is in which phase: only spans that started within the longest one can be under way."""
        first = bisect_left(self._starts_s, (time_s - self._longest_s, 0))
        last = bisect_right(self._starts_s, (time_s, len(self.spans)))
        under_way = (self.spans[number] for _, number in self._starts_s[first:last])
        return {span.agent: span.phase for span in under_way if time_s < span.end_s}

    def _figures(self, time_s: float, now: dict[str, str], books: Sequence[Book]) -> list[Figure]:
        drawn = self._places if self._user_count <= _MOST_FIGURES else self._places[self._user_count :]
        figures = [self._placed(place, now, time_s) for place in drawn]
        sending = any(figure.rate_bps is not None for figure in figures)
        figures = (
            [
                figure
                if figure.role == "user"
                else Figure(figure.name, figure.role, figure.x_m, figure.y_m, "receiving")
                for figure in figures
            ]
            if sending
            else figures
        )
        width_m, height_m = self._area_m
        contract = Figure("contract-0", "contract", 1.06 * width_m, 0.5 * height_m, now.get("contract-0", "idle"))
        return [*figures, *self._provider_figures(now, books), contract]

    def _placed(self, place: Row, now: dict[str, str], time_s: float) -> Figure:
        name, resting = place["name"], now.get(self._members.get(place["name"], "")) == "minting"
        doing = now.get(name, "waiting" if resting else "idle")
        x_m, y_m = self._motion.place_m(name, time_s) or (place["x_m"], place["y_m"])
        if doing != "upload":
            return Figure(name, place["role"], x_m, y_m, doing)
        rate_bps = self._motion.rate_bps(name, time_s)
        return Figure(name, place["role"], x_m, y_m, doing, place["rate_bps"] if rate_bps is None else rate_bps)

    def _provider_figures(self, now: dict[str, str], books: Sequence[Book]) -> list[Figure]:
        training = any(agent.startswith(("user-", "dao-")) and phase != "voting" for agent, phase in now.items())
        badges = {} if training else badges_of(books)
        negotiating = {b for dao in self.daos if now.get(dao) == "decision" for b in self._buyers.get(dao, ())}
        figures = []
        for number, name in enumerate(self._providers):
            badge, activity = badges.get(name, ""), now.get(name, "idle")
            if activity == "idle":
                activity = "decision" if name in negotiating else "waiting" if badge == "sealed" else "idle"
            x_m, y_m = beside(self._area_m, number, len(self._providers))
            figures.append(Figure(name, "provider", x_m, y_m, activity, badge=badge))
        return figures

    @cached_property
    def _buyers(self) -> dict[str, set[str]]:
        """By DAO, who bids for its licences: told by the announcements of auctions, or, of one DAO, everybody."""
        if len(self.daos) == 1:
            return {self.daos[0]: set(self._providers)}
        buyers: dict[str, set[str]] = defaultdict(set)
        for transaction in (t for block in self._blocks for t in block.transactions if t.kind == "announce"):
            bidders = {bid["provider"] for bid in self._bids[transaction.payload["auction"]]}
            for address in transaction.payload.get("asks_units", ()):  # of a promise there is no document yet
                buyers[self._names.get(address, "")] |= bidders
            for document in transaction.payload.get("fl_nfts", ()):
                for dao in self.daos:
                    if document == f"fl-nft-{dao}.js" or document.startswith(f"fl-nft-{dao}-"):
                        buyers[dao] |= bidders
        return buyers

    def _crowd(self, now: dict[str, str]) -> Crowd | None:
        if self._user_count <= _MOST_FIGURES:
            return None
        phases = [phase for agent, phase in now.items() if agent.startswith(("user-", "dao-"))]
        places_m = np.array([(place["x_m"], place["y_m"]) for place in self._places[: self._user_count]])
        return Crowd(places_m, {phases[0] if phases else "idle": self._user_count})

    def _mean_ages_s(self, time_s: float) -> dict[str, float]:
        """As the summary has it, of what had come by then."""
        means = defaultdict(list)
        for dao, corners in self._ages:
            times_s, ages_s = corners["time_s"].to_numpy(), corners["age_s"].to_numpy()
            past = int(np.searchsorted(times_s, time_s, side="right"))
            until_s = min(time_s, times_s[-1])
            if past and 0.0 < until_s - times_s[0] < np.inf:  # a stranger's folder may say anything
                t, a = times_s[:past], ages_s[:past]
                t, a = np.append(t, until_s), np.append(a, a[-1] + until_s - t[-1])
                means[dao].append(float(np.trapezoid(a, t) / (until_s - times_s[0])))
        return {dao: float(np.mean(means[dao])) if means[dao] else 0.0 for dao in self.daos}

    def _phases_s(self, time_s: float, done: int) -> dict[str, dict[str, float]]:
        """Of the rounds and mintings that have ended by now, each DAO's present minting."""
        minted = sum(span.end_s <= time_s for span in self._mintings)
        return self._phases(done, minted, time_s) if done else {dao: {} for dao in self.daos}

    @cached_property
    def _mintings(self) -> list[Span]:
        return [span for span in self.spans if span.phase == "minting"]

    def _phases_of(self, done: int, _minted: int, time_s: float) -> dict[str, dict[str, float]]:
        spans = self.result.spans
        latest = {row["dao"]: row for row in self.rounds[:done]}
        several = any("-e" in label for label in spans["dao"].unique())
        labels = {f"{dao}-e{row.get('episode', 0)}" if several else dao: dao for dao, row in latest.items()}
        past = spans[(spans["end_s"] <= time_s) & spans["dao"].isin(labels)]
        found: dict[str, dict[str, float]] = {dao: {} for dao in self.daos}
        return found | {labels[minting]: dict(seconds) for minting, seconds in seconds_by_phase(past).items()}

    # ---- the market --------------------------------------------------------------------------------------------------

    def _ciphertexts(self) -> dict[str, list[tuple[float, str, str]]]:
        """By auction: when each sealed bid was in a block, from whom, and its hexadecimal digits."""
        found: dict[str, list[tuple[float, str, str]]] = defaultdict(list)
        for block in self._blocks:
            for bid in (each for each in block.transactions if each.kind == "bid"):
                sender = self._names.get(bid.sender, "outsider")
                found[bid.payload["auction"]].append((block.time_s, sender, bid.payload["sealed"]))
        return found

    def _books(self, time_s: float) -> list[Book]:
        """Of all auctions of the newest episode in which bids were sealed by now."""
        begun = [name for name, opening_s in self._openings if opening_s <= time_s]
        newest = episode_of(begun[-1]) if begun else ""
        return [self._book(name, time_s) for name in begun if episode_of(name) == newest]

    @cached_property
    def _openings(self) -> list[tuple[str, float]]:
        """When each auction's first bid was sealed, in this order."""
        firsts = self.result.bids.groupby("auction", sort=False)["sealed_at_s"].min().dropna()
        known = [(str(name), float(at_s)) for name, at_s in firsts.items() if name in self._auctions]
        return sorted(known, key=lambda opening: opening[1])

    def _book(self, name: str, time_s: float) -> Book:
        auction = self._auctions[name]
        if self._state(auction, time_s) == "bidding":
            bids = ((sender, sealed, True) for at_s, sender, sealed in self._sealed[name] if at_s <= time_s)
            return sealed_book(name, reserve_money=auction["reserve_money"], closes_s=auction["closed_at_s"], bids=bids)
        return opened_book(auction, self._bids[name], self._state(auction, time_s))

    def _state(self, auction: Row, time_s: float) -> str:
        if time_s < auction["closed_at_s"]:
            return "bidding"
        paid_s, settled_s = self._settlements.get(auction["auction"], (math.inf, math.inf))
        if auction["auction"] in self._deliveries and paid_s <= time_s < settled_s:
            return "funded"
        return "settled" if time_s >= settled_s else "opened"

    @cached_property
    def _settlements(self) -> dict[str, tuple[float, float]]:
        """When each auction's first and last settlements were on the chain."""
        found: dict[str, tuple[float, float]] = {}
        for block in self._blocks:
            for settled in (each for each in block.transactions if each.kind == "settle"):
                first_s, _ = found.get(settled.payload["auction"], (block.time_s, 0.0))
                found[settled.payload["auction"]] = first_s, block.time_s
        return found

    @cached_property
    def _deliveries(self) -> dict[str, Row]:
        return {row["auction"]: row for row in records(self.result.deliveries)}

    def _pots(self, books: Sequence[Book]) -> list[str]:
        paid = [book.auction for book in books if book.state in ("funded", "settled")]
        over = {book.auction for book in books if book.state == "settled"}
        settled = {name: row for name, row in self._deliveries.items() if name in over}
        return pots_of(records(self.result.promises), settled, paid)

    def _beliefs(self, books: Sequence[Book]) -> list[Belief]:
        return [belief for book in books if book.is_open for belief in beliefs_of(self._bids[book.auction])]

    def _flows(self, books: Sequence[Book], time_s: float, now: dict[str, str]) -> list[Flow]:
        settled = [book for book in books if book.state == "settled"]
        if not settled or any(phase in ("decision", "training", "masking", "upload") for phase in now.values()):
            return []
        paid = [
            Flow(line.bidder, "contract-0", line.payment_money or 0.0)
            for book in settled
            for line in book.lines
            if line.fate == "won"
        ]
        rows = self._last_rows(bisect_right(self.round_ends_s, time_s)).items()
        received = ((name, row["reward_received_money"]) for name, row in rows)
        return paid + [Flow("contract-0", name, money) for name, money in received if money > 0]

    def _last_blocks(self, time_s: float) -> list[BlockLine]:
        shown: Counter[str] = Counter()
        lines = []
        for block in reversed(self._blocks):
            if block.time_s <= time_s and shown[block.chain] < BLOCKS_SHOWN:
                shown[block.chain] += 1
                lines.append(line_of(block))
        return sorted(lines, key=lambda line: (line.chain != "public", line.chain, -line.height))

    @cached_property
    def _happenings(self) -> list[Happening]:
        ends_s = {_key(row): float(row["end_s"]) for row in self.rounds}
        outcomes = (
            happenings.of_outcome(row, ends_s[key])
            for key, rows in self._users.items()
            if key in ends_s
            for row in rows
        )
        closed = (row for row in self._auctions.values() if math.isfinite(row["closed_at_s"]))
        told = [
            *happenings.of_spans(self.spans, self._user_count),
            *map(happenings.of_round, self.rounds),
            *(each for each in outcomes if each is not None),
            *map(happenings.of_auction, closed),
            *map(of_delivery, self._deliveries.values()),
        ]
        return sorted(told, key=lambda happening: happening.time_s)

    def _happenings_until(self, time_s: float) -> list[Happening]:
        past = bisect_right(self._happenings, time_s, key=lambda happening: happening.time_s)
        return self._happenings[max(0, past - HAPPENINGS_KEPT) : past]


class PlaybackShow:
    """One session's instant of a playback."""

    def __init__(self, playback: Playback) -> None:
        self.playback, self._now_s, self._goal_s = playback, 0.0, 0.0
        self.name, self.end_s = playback.name, playback.end_s
        self.step_s = playback.end_s / 200

    @property
    def now_s(self) -> float:
        """The clock."""
        return self._now_s

    @property
    def finished(self) -> bool:
        """Whether the story is over."""
        return self._now_s >= self.end_s

    def go_to(self, time_s: float) -> None:
        """Go to that time, forward or back."""
        self._now_s = min(max(time_s, 0.0), self.end_s)

    def aim(self, jump: Jump) -> None:
        """Choose where `pursue` leads."""
        self._goal_s = self.playback.goal_s(jump, self._now_s)

    def pursue(self, budget_s: float) -> bool:  # noqa: ARG002 - it takes no time
        """Be there at once."""
        self.go_to(self._goal_s)
        return True

    def scene(self) -> Scene:
        """What was to be seen now."""
        return self.playback.at(self._now_s)

    def facts(self, name: str) -> dict[str, str]:
        """What there is to know of one agent, by label."""
        return self.playback.facts(name, self._now_s)

    def spans(self, first: int) -> Sequence[Span]:
        """The `first`-th span and all after it, of the whole run."""
        return self.playback.spans[first:]

    def present(self) -> Sequence[Span]:
        """Nothing: `spans` tell it."""
        return ()


def _spans(table: pd.DataFrame) -> list[Span]:
    rounds = table["round"].astype(object).where(table["round"].notna(), None)
    columns = (table[name].tolist() for name in ("agent", "dao", "phase"))
    return [
        Span(*row) for row in zip(*columns, rounds, table["start_s"].tolist(), table["end_s"].tolist(), strict=True)
    ]


def _key(row: Row) -> tuple[Any, ...]:
    return row["dao"], row.get("episode", 0), row["round"]


def _area(result: RunResult) -> tuple[float, float]:
    """The area the scenario says, else one that holds everybody."""
    settings = result.manifest.get("scenario")
    if isinstance(settings, dict):
        width_m, height_m = settings["radio"]["area_m"]
        return float(width_m), float(height_m)
    return float(result.positions["x_m"].max()), float(result.positions["y_m"].max())
