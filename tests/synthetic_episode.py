"""A made-up but plausible episode: three rounds of four users, one auction among three providers."""

import numpy as np
import pandas as pd

from flnft_sim.results import AgeOfInformation, RunResult, SpanLog, phase_breakdown, summarise


def episode(seed: int = 0, *, rounds: int = 3, users: int = 4, providers: int = 3) -> RunResult:
    """A finished run whose spans, ages and tables agree with one another."""
    rng = np.random.default_rng(seed)
    log, age, dao = SpanLog(), AgeOfInformation("dao-1"), "dao-1"
    round_rows, user_rows, now_s = [], [], 0.0
    for number in range(1, rounds + 1):
        start_s, loss = now_s, 2.3 * 0.8**number
        log.add(dao, "decision", now_s, now_s + 0.8, round=number, dao=dao, iterations=4)
        now_s += 0.8
        final_s = []
        for user in range(1, users + 1):
            train_s, upload_s, consensus_s = rng.uniform([2, 0.5, 0.3], [6, 2, 0.5])
            instants = np.cumsum([now_s, train_s, upload_s, consensus_s])
            for phase, begin_s, end_s in zip(("training", "upload", "consensus"), instants, instants[1:], strict=False):
                log.add(f"user-{user}", phase, begin_s, end_s, round=number, dao=dao)
            final_s.append(instants[-1])
            user_rows.append(
                {
                    "dao": dao,
                    "round": number,
                    "user": f"user-{user}",
                    "local_epochs": 5,
                    "privacy_budget": 4.9,
                    "takes_part": True,
                    "train_s": train_s,
                    "upload_s": upload_s,
                    "consensus_s": consensus_s,
                    "age_s": instants[-1] - now_s,
                    "loss": loss * rng.uniform(0.9, 1.1),
                    "reward_announced_money": 79.0,
                    "user_utility": rng.uniform(60, 70),
                    "cost_round_money": 90.0,
                    "cash_surplus_money": -11.0,
                    "outcome": "aggregated",
                }
            )
        for user, end_s in enumerate(final_s, start=1):
            log.add(f"user-{user}", "waiting", end_s, max(final_s), round=number, dao=dao)
        trained_from_s, now_s = now_s, max(final_s) + 0.1
        log.add(dao, "aggregation", max(final_s), now_s, round=number, dao=dao)
        age.update(now_s, trained_from_s)
        log.counter(dao, "accuracy", now_s, 1 - loss / 2.3)
        round_rows.append(
            {
                "dao": dao,
                "round": number,
                "start_s": start_s,
                "end_s": now_s,
                "decision_s": 0.8,
                "iterations": 4,
                "participants": users,
                "stayed_out": 0,
                "late_dropped": 0,
                "accuracy": 1 - loss / 2.3,
                "loss": loss,
                "aoi_mean_s": age.mean(now_s, since_s=start_s),
            }
        )
    log.add(dao, "minting", now_s, now_s + 26.0, dao=dao)
    now_s += 26.0
    log.add("auction-1", "clearing", now_s + 30, now_s + 31)
    totals = np.sort(rng.uniform(80, 200, providers))[::-1]
    price = float(totals[-1])
    bids = pd.DataFrame(
        {
            "auction": "auction-1",
            "provider": [f"provider-{n}" for n in range(1, providers + 1)],
            "dao": dao,
            "total_money": totals,
            "sealed_at_s": now_s + rng.uniform(1, 20, providers),
            "status": "accepted",
            "reason": "",
            "won": totals > price,
            "payment_money": np.where(totals > price, price, 0.0),
            "priority": pd.array([n if total > price else None for n, total in enumerate(totals, 1)], dtype="Int64"),
            "predicted_rivals_money": (totals.sum() - totals) * rng.uniform(0.8, 1.2, providers),
            "real_rivals_money": totals.sum() - totals,
            "valuation_money": 1000.0,
            "provider_utility": totals / 2,
        }
    )
    spans = log.to_frame()
    result = RunResult(
        rounds=pd.DataFrame(round_rows),
        users=pd.DataFrame(user_rows),
        contributions=contributions(users, price * (providers - 1)),
        bids=bids,
        transactions=transactions(providers, users),
        auctions=pd.DataFrame(
            [
                {
                    "auction": "auction-1",
                    "category": "digits",
                    "rule": "pms-am",
                    "closed_at_s": now_s + 30,
                    "daos": 1,
                    "bidders": providers,
                    "ask_money": 75.0,
                    "reserve_money": price,
                    "price_money": price,
                    "winners": providers - 1,
                    "surplus_money": 0.0,
                    "dao_receipt_money": price * (providers - 1),
                    "trades": 1,
                    "rebids": 0,
                    "reason": "",
                }
            ]
        ),
        spans=spans,
        counters=log.counters_frame(),
        phases=phase_breakdown(spans),
        aoi=age.to_frame(now_s),
        privacy=pd.DataFrame({"user": ["user-1"], "guarantee": ["none"]}),
        accounts=pd.DataFrame(
            {
                "address": ["00aa", "00bb"],
                "name": ["dao-1", "provider-1"],
                "role": ["dao", "provider"],
                "balance_money_units": [250_000_000, 750_000_000],
                "balance_money": [250.0, 750.0],
            }
        ),
        positions=pd.DataFrame(
            {
                "name": ["base-station", *(f"user-{n}" for n in range(1, users + 1))],
                "role": ["base station"] + ["user"] * users,
                "x_m": [500.0, *rng.uniform(0, 1000, users)],
                "y_m": [600.0, *rng.uniform(0, 1200, users)],
                "sinr_db": [np.nan, *rng.uniform(2, 25, users)],
                "rate_bps": [np.nan, *rng.uniform(1e6, 8e6, users)],
            }
        ),
        manifest={"name": "synthetic", "seed": seed, "status": "finished"},
        ledger_lines=['{"block": 0}', '{"block": 1, "text": "naïve\u2028"}'],
        nft={"fl-nft.js": "export default {};\n"},
        weights={"model.safetensors": {"w": rng.normal(size=(3, 2)).astype(np.float32), "b": np.zeros(2)}},
    )
    result.summary.update(summarise(result) | {"money_issued_units": 1_000_000_000})
    return result


def contributions(users: int, money: float) -> pd.DataFrame:
    """What was measured in a round; the last user rides free."""
    rides = np.arange(1, users + 1) == users
    return pd.DataFrame(
        {
            "dao": "dao-1",
            "episode": 0,
            "round": 1,
            "user": [f"user-{n}" for n in range(1, users + 1)],
            "conduct": np.where(rides, "free-rider", "honest"),
            "arrived": True,
            "shapley": np.where(rides, 0.002, np.linspace(0.1, 0.2, users)),
            "shapley_error": 0.004,
            "pay_share": 1 / users,
            "paid_money": money / users,
        }
    )


def transactions(providers: int, users: int) -> pd.DataFrame:
    """Messages to contracts: a minting, everybody's bid, one of them refused, the clearing and the members' claims."""
    sent = [("mint", "dao-1"), *(("bid", f"provider-{n}") for n in range(providers)), ("clearing", "contract-0")]
    sent += [("claim", f"user-{n}") for n in range(1, users + 1)]
    shared = {"block": 1, "time_s": 50.0, "waited_s": 9.0, "gas_limit": 300_000, "gas_used": 110_000, "gas_money": 0.0}
    rows = [
        shared | {"kind": kind, "sender": sender, "auction": "auction-1", "call": f"Contract.{kind}", "error": ""}
        for kind, sender in sent
    ]
    rows[1]["error"] = "TooLate"
    return pd.DataFrame(rows)
