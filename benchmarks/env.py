"""The environments' speed: auctions a second on one core, and where the time of one goes."""

import cProfile
import pstats
import time
from collections import Counter
from pathlib import Path

import numpy as np

from flnft_sim.errors import InputError
from flnft_sim.scenario import load_scenario

SURROGATE = {
    "population.providers": 5,
    "market.auctions": 1000,
    "game.history_auctions": 20,
    "learning.learner": "surrogate",
    "learning.rounds": 1,
}
LIGHT = {"game.belief.kind": "ewma", "private_ledger.protocol": "instant", "public_chain.protocol": "instant"}
WARM, STEPS = 20, 100


def main() -> None:
    """Five providers act at random, on the surrogate, a round before each auction."""
    try:
        from flnft_sim.env import market_env
    except InputError as error:
        print(error)
        return
    for title, more in (("as `tiny` is", {}), ("EWMA beliefs, instant ledgers", LIGHT)):
        env, rng = market_env(load_scenario("tiny", overrides=SURROGATE | more)), np.random.default_rng(0)
        env.reset(seed=0)

        def steps(count: int, env=env, rng=rng) -> None:
            for _ in range(count):
                env.step({name: rng.random(1) for name in env.agents})

        steps(WARM)
        started_s = time.process_time()
        steps(STEPS)
        print(f"{title}: {STEPS / (time.process_time() - started_s):.0f} auctions a second of one core (goal: 200)")
        print(f"  of which {by_room(lambda steps=steps: steps(STEPS))}")


def by_room(work) -> str:
    """The share of the time that each room and library spends in its own functions, the largest first."""
    profile = cProfile.Profile()
    profile.runcall(work)
    spent: Counter[str] = Counter()
    for (file, _, name), (_, _, own_s, *_) in pstats.Stats(profile).stats.items():
        spent[_room(file, name)] += own_s
    total_s = sum(spent.values())
    return ", ".join(f"{room} {own_s / total_s:.0%}" for room, own_s in spent.most_common(8))


def _room(file: str, name: str) -> str:
    parts = Path(file).parts
    if "flnft_sim" in parts:
        return parts[parts.index("flnft_sim") + 1].removesuffix(".py")
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1]
    return "signatures and seals" if "sodium" in name else "numpy's and Python's built-ins"


if __name__ == "__main__":
    main()
