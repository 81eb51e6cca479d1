"""The scenes of a finished run, out of its files; nothing is trained."""

import math
from bisect import bisect_right
from collections import Counter
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from flnft_sim.errors import FORMLESS, FlnftError, InputError, bare
from flnft_sim.ledger import Block
from flnft_sim.results import RunResult
from flnft_sim.results.reading import damaged
from flnft_sim.viz.live import line_of, row_facts
from flnft_sim.viz.scene import (
    Belief,
    BlockLine,
    BookLine,
    Figure,
    Row,
    Scene,
    UserMeans,
    beside,
    records,
    seconds_by_phase,
)

_BLOCKS_SHOWN = 8


class Playback:
    """A finished run as a function of time. Users stand where they stood at the end; a link's rate is its own alone."""

    def __init__(self, result: RunResult) -> None:
        if result.spans.empty:
            raise InputError("the run has no spans to play back; give a folder of a run that got as far as one round")
        self.result = result
        self.name = str(result.manifest.get("name", "run"))
        self.end_s = float(result.spans["end_s"].max())
        self.rounds = records(result.rounds.sort_values("end_s", kind="stable"))
        self.round_ends_s = [float(row["end_s"]) for row in self.rounds]
        self._users: dict[tuple[Any, ...], list[Row]] = {}
        for row in records(result.users):
            self._users.setdefault(_key(row), []).append(row)
        self._means = [self._mean(row) for row in self.rounds]
        self._blocks = [Block.from_line(line) for line in result.ledger_lines]
        self._names = dict(zip(result.accounts["address"], result.accounts["name"], strict=True))
        self._places = records(result.positions)
        self._area_m = _area(result)
        self._phases: dict[tuple[int, int], dict[str, float]] = {}
        self._closed_bids: dict[str, list[tuple[float, str, str]]] = {}  # by provider: closed at, auction, bid
        closed_s = dict(zip(result.auctions["auction"], result.auctions["closed_at_s"], strict=True))
        for bid in records(result.bids):
            line = closed_s.get(bid["auction"], math.inf), bid["auction"], f"{bid['total_money']:,.2f} money"
            self._closed_bids.setdefault(bid["provider"], []).append(line)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The playback of a run's folder. Raises `InputError` where it is damaged or shows nothing."""
        result = RunResult.load(folder)
        try:
            playback = cls(result)
            for time_s in (0.0, playback.end_s):
                playback.at(time_s)
        except FlnftError as error:
            raise InputError(f"{bare(str(folder))}: {error}") from None
        except FORMLESS as error:
            raise damaged(folder, error) from error
        return playback

    def at(self, time_s: float) -> Scene:
        """What was to be seen at `time_s`."""
        done = bisect_right(self.round_ends_s, time_s)
        last_rows = self._last_rows(done)
        auction = self._auction(time_s)
        return Scene(
            time_s=time_s,
            state="finished" if time_s >= self.end_s else f"{done} of {len(self.rounds)} rounds done",
            area_m=self._area_m,
            figures=self._figures(time_s, last_rows),
            rounds=self.rounds[:done],
            user_ages_s={name: row["age_s"] for name, row in last_rows.items() if row["takes_part"]},
            user_means=self._means[:done],
            phases_s=self._phases_s(done, time_s),
            beliefs=self._beliefs(auction, time_s),
            auction_state="none yet" if auction is None else f"{auction['auction']}: {_state(auction, time_s)}",
            book=self._book(auction, time_s),
            blocks=self._last_blocks(time_s),
        )

    def _mean(self, round_row: Row) -> UserMeans:
        part = [row for row in self._users.get(_key(round_row), []) if row["takes_part"]]
        utility, surplus = (
            float(np.mean([row[column] for row in part])) if part else float("nan")
            for column in ("user_utility", "cash_surplus_money")
        )
        return UserMeans(float(round_row["end_s"]), utility, surplus)

    def _last_rows(self, done: int) -> dict[str, Row]:
        """By user, its row of its DAO's last finished round."""
        last_rounds = {row["dao"]: row for row in self.rounds[:done]}
        return {row["user"]: row for last in last_rounds.values() for row in self._users.get(_key(last), [])}

    def _figures(self, time_s: float, last_rows: dict[str, Row]) -> list[Figure]:
        spans = self.result.spans
        now = spans[(spans["start_s"] <= time_s) & (time_s < spans["end_s"])]
        activity = dict(zip(now["agent"], now["phase"], strict=True))
        figures = []
        for place in self._places:
            doing = activity.get(place["name"], "idle")
            rate_bps = float(place["rate_bps"]) if doing == "upload" else None
            row = last_rows.get(place["name"])
            facts = {"mean SINR": f"{place['sinr_db']:.1f} dB"} if place["role"] == "user" else {}
            facts |= row_facts(row) if row is not None else {}
            figures.append(Figure(place["name"], place["role"], place["x_m"], place["y_m"], doing, rate_bps, facts))
        providers = self.result.accounts[self.result.accounts["role"] == "provider"]["name"]
        for number, name in enumerate(providers):
            x_m, y_m = beside(self._area_m, number, len(providers))
            facts = self._offers(name, time_s)
            figures.append(Figure(name, "provider", x_m, y_m, activity.get(name, "idle"), facts=facts))
        return figures

    def _offers(self, provider: str, time_s: float) -> dict[str, str]:
        """The provider's last bids in auctions that have closed by now."""
        known = [(name, text) for closed_s, name, text in self._closed_bids.get(provider, []) if closed_s <= time_s]
        return {f"bid in {name}": text for name, text in known[-3:]}

    def _phases_s(self, done: int, time_s: float) -> dict[str, float]:
        """Of the rounds and mintings that have ended by now."""
        spans = self.result.spans
        minted = int(((spans["phase"] == "minting") & (spans["end_s"] <= time_s)).sum())
        if (done, minted) not in self._phases:
            past = spans[spans["end_s"] <= time_s]
            self._phases[done, minted] = seconds_by_phase(past) if done else {}
        return self._phases[done, minted]

    def _auction(self, time_s: float) -> Row | None:
        """The auction that was last to start taking bids."""
        begun = self.result.bids[self.result.bids["sealed_at_s"] <= time_s]
        if begun.empty:
            return None
        name = begun.sort_values("sealed_at_s", kind="stable")["auction"].iloc[-1]
        rows = records(self.result.auctions[self.result.auctions["auction"] == name])
        return rows[0] if rows else None

    def _bids(self, auction: Row) -> pd.DataFrame:
        return self.result.bids[self.result.bids["auction"] == auction["auction"]]

    def _beliefs(self, auction: Row | None, time_s: float) -> list[Belief]:
        if auction is None or _state(auction, time_s) == "bidding":
            return []
        bids = self._bids(auction)
        bids = bids[bids["status"].isin(["accepted", "no bid"])]
        return [
            Belief(row["provider"], row["total_money"], row["predicted_rivals_money"], row["real_rivals_money"])
            for row in records(bids)
        ]

    def _book(self, auction: Row | None, time_s: float) -> list[BookLine]:
        if auction is None:
            return []
        name = auction["auction"]
        if _state(auction, time_s) == "bidding":
            return [
                BookLine(name, self._names.get(bid.sender, "outsider"), f"{bid.payload['sealed'][:24]}…", "sealed")
                for block in self._blocks
                if block.time_s <= time_s
                for bid in block.transactions
                if bid.kind == "bid" and bid.payload["auction"] == name
            ]
        return [
            BookLine(
                name,
                row["provider"],
                f"{row['total_money']:,.2f} money" if pd.notna(row["total_money"]) else "never opened",
                f"{row['status']}: {row['reason']}" if row["reason"] else row["status"],
                row["payment_money"] if row["won"] else None,
            )
            for row in records(self._bids(auction))
        ]

    def _last_blocks(self, time_s: float) -> list[BlockLine]:
        shown: Counter[str] = Counter()
        lines = []
        for block in reversed(self._blocks):
            if block.time_s <= time_s and shown[block.chain] < _BLOCKS_SHOWN:
                shown[block.chain] += 1
                lines.append(line_of(block))
        return sorted(lines, key=lambda line: (line.chain != "public", line.chain, -line.height))


def _key(row: Row) -> tuple[Any, ...]:
    return row["dao"], row.get("episode", 0), row["round"]


def _state(auction: Row, time_s: float) -> str:
    return "settled" if time_s >= auction["closed_at_s"] else "bidding"


def _area(result: RunResult) -> tuple[float, float]:
    """The area the scenario says, else one that holds everybody."""
    settings = result.manifest.get("scenario")
    if isinstance(settings, dict):
        width_m, height_m = settings["radio"]["area_m"]
        return float(width_m), float(height_m)
    return float(result.positions["x_m"].max()), float(result.positions["y_m"].max())
