"""A bidder that learns by the cross-entropy method among rivals who bid by the book: an adversary not written by hand.

    python examples/learning_bidder.py [--generations 5] [--rules pms-am mcafee …]

It bids a + b·(its bid by the book) + c·(the reserve), in parts of twice its valuation, and finds a, b, c by trying and
keeping the best; by the book is (0, 1, 0). A rule's line has the mean gain of an auction over bidding by the book, in
markets that it was not trained on, beside what the composed audit finds for the same bidder in the same markets: the
best of 13 factors on its sealed bid, for each auction by itself and with hindsight, while the ledger goes on as if it
had bid by the book. It needs the extra `rl`.
"""

import argparse

import numpy as np

from flnft_sim import load_scenario
from flnft_sim.env import OneAgentEnv, one_agent_env
from flnft_sim.experiments.composed_audit import composed_audit
from flnft_sim.market import RULES

BY_THE_BOOK = np.array([0.0, 1.0, 0.0])
ELITE = 0.25  # of a generation
SETTINGS = {
    "population.providers": 5,
    "population.daos": 2,
    "market.auctions": 10,
    "game.history_auctions": 20,
    "learning.learner": "surrogate",
    "learning.rounds": 1,
}


def cash(env: OneAgentEnv, weights: np.ndarray, seeds: range) -> float:
    """Mean cash of an auction, over the markets of these seeds."""
    total, auctions = 0.0, 0
    for seed in seeds:
        view, _ = env.reset(seed=seed)
        over = False
        while not over:
            worth, reserve, honest = view[:3]
            bid = weights @ [1.0, honest / (2 * worth), reserve / (2 * worth)]
            view, reward, over, _, _ = env.step(np.array([np.clip(bid, 0.0, 1.0)]))
            total, auctions = total + reward, auctions + 1
    return total / auctions


def learned(env: OneAgentEnv, generations: int, rng: np.random.Generator, size: int = 12) -> np.ndarray:
    """The weights at which the cross-entropy method ends; it begins by the book."""
    mean, spread = BY_THE_BOOK.copy(), np.array([0.1, 0.3, 0.3])
    for generation in range(generations):
        tried = np.vstack([mean, rng.normal(mean, spread, (size - 1, mean.size))])
        markets = range(2 * generation, 2 * generation + 2)  # the same for all of a generation
        best = np.argsort([-cash(env, weights, markets) for weights in tried])[: int(ELITE * size)]
        mean, spread = tried[best].mean(axis=0), tried[best].std(axis=0) + 0.02
    return mean


def audited(env: OneAgentEnv, rule: str, seed: int) -> float:
    """What the composed audit says that the bidder could gain by its sealed bid, mean over the auctions of a market."""
    env.reset(seed=seed)
    scenario = env.market.model.settings
    audit = composed_audit(scenario, [rule], episodes=scenario.market.auctions)
    return float(audit[(audit["party"] == env.agent) & (audit["kind"] == "bid")]["gain_money"].mean())


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--generations", type=int, default=5)
    words.add_argument("--markets", type=int, default=6, help="to compare in, which it was not trained on")
    words.add_argument("--rules", nargs="*", default=["pms-am", "mcafee", "uniform", "first-price", "vcg"])
    asked = words.parse_args()
    for rule in asked.rules:
        RULES.get(rule)
    print(f"{'rule':<16}{'by the book':>12}{'learned':>10}{'gain':>8}{'audit':>8}   bid = a + b·honest + c·reserve")
    for rule in asked.rules:
        scenario = load_scenario("market", overrides={**SETTINGS, "market.rule": rule, "population.categories": 1})
        env, rng = one_agent_env(scenario, "provider-0"), np.random.default_rng(0)
        weights = learned(env, asked.generations, rng)
        fresh = range(10**6, 10**6 + asked.markets)
        honest, found = cash(env, BY_THE_BOOK, fresh), cash(env, weights, fresh)
        best = np.mean([audited(env, rule, seed) for seed in fresh])
        numbers = ", ".join(f"{weight:.2f}" for weight in weights)
        print(f"{rule:<16}{honest:>12.1f}{found:>10.1f}{found - honest:>8.1f}{best:>8.1f}   {numbers}", flush=True)


if __name__ == "__main__":
    main()
