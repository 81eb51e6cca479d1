"""Gather what a run has left: tables, summary, ledger, NFTs and weights, and how it all came about."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from flnft_sim.agents.conduct import HONEST
from flnft_sim.agents.decision import Decision
from flnft_sim.game import examine
from flnft_sim.imports import source_of
from flnft_sim.learning import SCHEMES, accountant
from flnft_sim.ledger import from_units
from flnft_sim.machine import code_version
from flnft_sim.results import RunResult, summarise
from flnft_sim.results.gas import GWEI_A_MONEY
from flnft_sim.results.phases import phases_of
from flnft_sim.results.record import StoredLines
from flnft_sim.results.tables import Stored, empty, of_rows
from flnft_sim.scenario import Scenario
from flnft_sim.simulation.cast import Cast
from flnft_sim.simulation.motion import moves, rates

LIBRARIES = ("flnft-sim", "mesa", "simpy", "numpy", "torch", "hmmlearn", "networkx", "pandas", "numba", "pynacl")


def harvest(cast: Cast, *, status: str, wall_s: float, error: str | None = None) -> RunResult:
    """The run's result; one that was interrupted, or ended by an `error`, has what was finished by then."""
    world, records = cast.world, cast.world.records
    spans, users = world.spans.table(), _users(cast)
    files = [dao.last_minted.files for dao in cast.daos if dao.last_minted is not None]
    grown = ("rounds", "bids", "auctions", "promises", "deliveries")
    tables: dict[str, Any] = {name: Stored.of(name, getattr(records, name)) for name in grown} | {
        "users": users,
        "licences": of_rows("licences", records.licences),
        "contributions": _contributions(cast, users),
        "transactions": _transactions(cast),
        "spans": spans,
        "counters": world.spans.counters(),
        "phases": phases_of(spans.pieces("agent", "dao", "phase", "round", "start_s", "end_s")),
        "aoi": _ages(cast),
        "privacy": _privacy(cast),
        "accounts": _accounts(cast),
        "positions": _positions(cast),
        "moves": moves(cast),
        "rates": rates(cast),
    }
    chains = (world.public_chain.chain, *(dao.ledger.chain for dao in cast.daos))
    result = RunResult(
        **tables,
        manifest=_manifest(cast, status, wall_s) | ({} if error is None else {"error": error}),
        ledger_lines=StoredLines(chain.lines() for chain in chains),  # type: ignore[arg-type]  # read when asked for
        nft={each.document_file: each.document for each in files},
        weights={each.weights_file: each.weights for each in files},
        imports={each.file: source_of(each.sha256).content for each in cast.settings.imports},
    )
    result.summary.update(summarise(result) | _extra_figures(cast, result))
    return result


def _manifest(cast: Cast, status: str, wall_s: float) -> dict[str, Any]:
    world, settings = cast.world, cast.settings
    return {
        "name": settings.name,
        "seed": settings.seed,
        "status": status,
        "scenario": settings.model_dump(mode="json"),
        "code_version": code_version(),
        "repeat": "in this folder: flnft run manifest.json --out again",
        "versions": {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()},
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
        "wall_time_s": wall_s,
        "ledger_tips": {
            chain.name: chain.tip.hash for chain in (world.public_chain.chain, *(d.ledger.chain for d in cast.daos))
        },
        "unsettled": _unsettled(cast),
        **_accounting(settings),
        **_contracts(cast),
    }


def _contracts(cast: Cast) -> dict[str, Any]:
    """Where contracts were executed and which addresses they have; nothing where there are none."""
    executed = cast.world.public_chain.chain.genesis.payload.get("execution")
    if executed is None:
        return {}
    chain, addresses = cast.settings.public_chain, executed["contracts"]
    daos = {dao.name: addresses["MuDao"][dao.address] for dao in cast.daos}
    where: dict[str, Any] = {"backend": chain.backend} | ({"node": chain.node} if chain.backend == "rpc" else {})
    where |= {"clock": "run", "chain_id": chain.chain_id, "fork": chain.fork}
    return {"contracts": where | {"addresses": {**addresses, "MuDao": daos}}}


def _accounting(settings: Scenario) -> dict[str, Any]:
    """How private steps were sampled and accounted, and by what; nothing where none were."""
    private = settings.learning.privacy
    if not private.trains_privately or SCHEMES.get(settings.learning.scheme).centralized:
        return {}
    sampling = f"Poisson, each record by a coin of {private.sampling_rate:g}"
    return {"privacy": {"mechanism": private.mechanism, "sampling": sampling, "accountant": accountant()}}


def _unsettled(cast: Cast) -> list[dict[str, Any]]:
    """The transfers that no settlement on the chain tells yet, in order; none where the run came to its end."""
    world = cast.world
    published = sum(len(each.payload["entries"]) for each in world.public_chain.chain.transactions("settle"))
    return [dict(entry) for entry in world.accounts.entries[published:]]


def _adversaries(cast: Cast, result: RunResult) -> dict[str, float]:
    """What adversaries received and what their work cost, all together, and honest users on average; if there are any.

    Nothing where all are honest. A liar that lies by a factor of 1 is what an honest user is, and tells what it gets.
    """
    conduct = {
        name: str(each) for dao in cast.daos for name, each in zip(dao.members.names, dao.members.conduct, strict=True)
    }
    if all(each == HONEST for each in conduct.values()):
        return {}
    users = result.part("users", "user", "reward_received_money", "cost_round_money")
    money = users.groupby("user")[["reward_received_money", "cost_round_money"]].sum()
    honest = money.index.map(conduct) == HONEST
    received, cost = (float(column.sum()) for _, column in money[~honest].items())
    return {
        "adversaries_received_money": received,
        "adversaries_cost_money": cost,
        "adversaries_gain_money": received - cost,
        "honest_received_money": float(money.loc[honest, "reward_received_money"].mean()),
    }


def _extra_figures(cast: Cast, result: RunResult) -> dict[str, Any]:
    """Figures that no table alone tells."""
    world, learner = cast.world, cast.daos[0].learner
    names = ("user", "dao", "episode", "round", "reward_received_money", "cost_round_money", "exploitability")
    users = result.part("users", *names)
    received = users.groupby("user")["reward_received_money"].sum()
    cost = users.groupby("user")["cost_round_money"].sum()
    decided = [dao.nft.decision for dao in cast.daos if dao.nft is not None]
    played = [examine(each.problem, each.step) for each in decided if isinstance(each, Decision)]
    anticipated = [each.anticipated_gains for each in played if each.anticipated_gains is not None]
    return {
        "provider_exploitability_money": max((float(each.provider_gains.max()) for each in played), default=None),
        "provider_anticipated_gain_money": max((float(gains.max()) for gains in anticipated), default=None),
        "user_exploitability": _last_exploitability(users),
        **_forgone(result.bids),
        **_adversaries(cast, result),
        "engine": f"{learner.engine_name} ({learner.engine_reason})",
        "game_engine": f"{world.engine.name} ({world.engine.reason})",
        "simulated_s": float(world.env.now),
        "mintings_total": sum(dao.mintings for dao in cast.daos),
        "mintings_without_updates_total": sum(dao.mintings_without_updates for dao in cast.daos),
        "reward_received_money": float(received.mean()) if len(received) else 0.0,
        "cash_received_surplus_money": float((received - cost).mean()) if len(received) else 0.0,
        "gas_money_total": float(result.transactions["gas_money"].sum()),
        "gas_total": int(result.transactions["gas_used"].sum()),
        "refused_messages_total": int((result.transactions["error"] != "").sum()),
        "rejected_bids_total": int((result.bids["status"] == "rejected").sum()),
        "belief": cast.settings.game.belief.kind,
        "belief_fallbacks": world.beliefs.fallbacks(),
        "money_issued_units": sum(world.accounts.opening_balances.values()),
        "public_blocks": len(world.public_chain.chain),
        "stale_blocks": world.public_chain.stale_blocks,
        "consensus_messages": sum(dao.ledger.messages for dao in cast.daos),
        "view_changes": sum(dao.ledger.view_changes for dao in cast.daos),
    }


def _last_exploitability(users: pd.DataFrame) -> float | None:
    """The most that any user forwent in Φ in its DAO's last round, at what it played."""
    if users.empty:
        return None
    newest = users.groupby("dao")[["episode", "round"]].transform("last")
    last = users[(users["episode"] == newest["episode"]) & (users["round"] == newest["round"])]["exploitability"]
    return float(last.max()) if last.notna().any() else None


def _forgone(bids: pd.DataFrame) -> dict[str, float | None]:
    """Money that other sealed bids would have kept, of winners and of those who lost or did not bid."""
    known = bids[bids["forgone_money"].notna()]
    won = known["won"].fillna(False).astype(bool)
    losers, winners = known.loc[~won, "forgone_money"], known.loc[won, "forgone_money"]
    return {
        "forgone_by_losers_money": float(losers.mean()) if len(losers) else None,
        "forgone_most_money": float(known["forgone_money"].max()) if len(known) else None,
        "forgone_by_winners_money": float(winners.mean()) if len(winners) else None,
    }


def _users(cast: Cast) -> "Stored | pd.DataFrame":
    """Every member's rows; of crowds those of the last round."""
    records = cast.world.records
    rows = Stored.of("users", records.users)
    if not records.crowds:
        return rows
    parts = [rows.whole()] if records.users else []
    return pd.concat([*parts, *map(pd.DataFrame, records.crowds.values())], ignore_index=True)


def _contributions(cast: Cast, users: "Stored | pd.DataFrame") -> pd.DataFrame:
    """What was measured of each update, and on a minting's last row of a user what it was paid."""
    rows = pd.DataFrame(cast.world.records.contributions)
    if rows.empty:
        return empty("contributions")
    by = ["dao", "episode", "round", "user"]
    names = [*by, "reward_received_money"]
    paid = users.whole(*names)[names] if isinstance(users, Stored) else users[names]
    paid.columns = pd.Index([*by, "paid_money"])
    return rows.drop(columns="paid_money").merge(paid, on=by, how="left")


def _privacy(cast: Cast) -> pd.DataFrame:
    """Each user's privacy guarantee over the last minting, or that there is none."""
    tables = []
    for dao in cast.daos:
        table = dao.learner.privacy_ledger().table()
        if len(table):
            table["user"] = [dao.members.names[int(user)] for user in table["user"]]
            tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else empty("privacy")


def _names(cast: Cast) -> dict[str, tuple[str, str]]:
    """Name and role behind every address."""
    actors = [cast.contract, cast.contract.outsider, *cast.providers, *cast.daos]
    names = {actor.address: (actor.name, actor.role) for actor in actors} | dict(cast.mechanism.accounts)
    names |= {address: (name, "producer") for address, name in cast.world.gas_money.producers.items()}
    for dao in cast.daos:
        names |= {a: (name, "user") for a, name in zip(dao.members.addresses, dao.members.names, strict=True)}
    return names


def _transactions(cast: Cast) -> Stored:
    """What was final on the public chain, with the gas that it took."""
    names, chain = _names(cast), cast.world.public_chain
    price_money, model = cast.settings.public_chain.gas_price_gwei / GWEI_A_MONEY, chain.execution is None

    def told(included: Sequence[Sequence[Any]]) -> dict[str, Sequence[Any]]:
        kinds, senders, gas, auctions, heights, times_s, waited_s, answers = included
        calls, used, errors = zip(
            *(each or ("", limit, "") for each, limit in zip(answers, gas, strict=True)), strict=True
        )
        paid = [0.0 if each is None and not model else of * price_money for each, of in zip(answers, used, strict=True)]
        return {
            "block": heights,
            "time_s": times_s,
            "waited_s": waited_s,
            "kind": kinds,
            "sender": [names.get(each, (each, ""))[0] for each in senders],
            "auction": auctions,
            "call": calls,
            "gas_limit": gas,
            "gas_used": used,
            "gas_money": paid,
            "error": errors,
        }

    chunks = chain.included.so_far()
    return Stored("transactions", lambda: map(told, chunks()))


def _accounts(cast: Cast) -> pd.DataFrame:
    """Every balance, with the name behind the address; budgets still in escrow are accounts of their own."""
    names, rows = _names(cast), []
    for address, units in cast.world.accounts.balances.items():
        name, role = names.get(address, (address.split("/")[1] if "/" in address else address, "escrow"))
        rows.append((address, name, role, units, from_units(units)))
    return pd.DataFrame(rows, columns=["address", "name", "role", "balance_money_units", "balance_money"])


def _positions(cast: Cast) -> pd.DataFrame:
    """Where users are now, and what each one's link would do with the band to itself."""
    cell, now_s = cast.world.cell, float(cast.world.env.now)
    links = cell.links
    where, snr = cell.positions_m(), links.mean_snrs(now_s)
    alone_bps = 1.0 / links.upload_alone_s(1.0, now_s)
    rows = [
        (name, "user", *where[number], 10 * np.log10(snr[number]), alone_bps[number])
        for dao in cast.daos
        for name, number in zip(dao.members.names, dao.members.numbers.tolist(), strict=True)
    ]
    rows.append(("base-station", "base station", *links.station_m, float("nan"), float("nan")))
    return pd.DataFrame(rows, columns=["name", "role", "x_m", "y_m", "sinr_db", "rate_bps"])


def _ages(cast: Cast) -> pd.DataFrame:
    """Every minting's age of information, until it ended (its NFT was final); one that is under way until now."""
    now_s = float(cast.world.env.now)
    training = [dao for dao in cast.daos if dao.mintings_begun or now_s == 0.0]
    ages = [age for dao in training for age in dao.ages]
    corners = [corner for age in ages for corner in age.corners(now_s if age.end_s is None else age.end_s)]
    return pd.DataFrame(corners, columns=["dao", "episode", "time_s", "age_s"])
