"""How long a transaction waits for a block as the load nears the gas limit: measured on the clock, and in theory.

    python -m analysis.mempool_load [--blocks 150000] [--out docs/results]

Other people's transactions, all of one fee, load a proof-of-work chain of default settings (13 s, 8 M gas; 400,000 gas
each, so 20 a block). Rare probes pay less, the same, or more. Writes mempool_load.csv and mempool_load.png.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import simpy

from flnft_sim.clock.public_chain import PublicChain
from flnft_sim.figures.inclusion import draw_inclusion
from flnft_sim.ledger import Chain, KeyPair, OtherTraffic, make_consensus
from flnft_sim.ledger.queueing import mean_inclusion_s
from flnft_sim.streams import Streams

INTERVAL_S, GAS_LIMIT, GAS = 13.0, 8_000_000, 400_000
BLOCK_TX = GAS_LIMIT // GAS
FEES = {"less": 0, "same": 1, "more": 2}
LOADS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
PROBES_PER_S = 1 / (20 * INTERVAL_S)  # of each fee
BATCHES = 20  # of probes, whose means are nearly independent


def waits_s(load: float, *, blocks: int, seed: int) -> dict[str, np.ndarray]:
    """Seconds from submission to the block for the probes of each fee."""
    streams, env = Streams(seed), simpy.Environment()
    rate = load * BLOCK_TX / INTERVAL_S
    chain = PublicChain(
        env,
        consensus=make_consensus("pow", streams.generator("blocks"), propagation_s=0.0, confirmations=1),
        chain=Chain("public"),
        gas_limit=GAS_LIMIT,
        traffic=OtherTraffic(rate, streams.generator("traffic"), gas=GAS),
    )
    answers: dict[str, list[simpy.Event]] = {fee: [] for fee in FEES}
    key, rng = KeyPair.from_seed(streams.sequence("prober")), streams.generator("probes")

    def probe() -> Iterator[simpy.Event]:
        while env.now < blocks * INTERVAL_S:
            fee = str(rng.choice(list(FEES)))
            answers[fee].append(chain.submit("probe", key, {}, fee=FEES[fee], gas=GAS))
            yield env.timeout(rng.exponential(1 / (PROBES_PER_S * len(FEES))))

    env.process(probe())
    env.run()
    return {fee: np.array([each.value.waited_s for each in sent]) for fee, sent in answers.items()}


def main() -> None:
    """Measure every load; print and write the table and the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=150_000)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    options = parser.parse_args()
    rows = []
    for seed, load in enumerate(LOADS):
        for fee, waits in waits_s(load, blocks=options.blocks, seed=seed).items():
            batches = [batch.mean() for batch in np.array_split(waits, BATCHES)]
            ci95_s = 2.093 * np.std(batches, ddof=1) / np.sqrt(BATCHES)  # Student's t, 19 degrees of freedom
            rows.append((load, fee, len(waits), waits.mean(), ci95_s))
    curve = pd.DataFrame(rows, columns=["load", "fee", "probes", "wait_s", "wait_ci95_s"])
    curve["closed_form_s"] = [
        theory(load) if fee == "same" else np.nan for load, fee in zip(curve["load"], curve["fee"], strict=True)
    ]
    print(curve.round(2).to_string(index=False))
    options.out.mkdir(parents=True, exist_ok=True)
    curve.round(3).to_csv(options.out / "mempool_load.csv", index=False)
    loads = np.linspace(0.05, 0.97, 100)
    line = pd.DataFrame({"load": loads, "wait_s": [theory(load) for load in loads]})
    draw_inclusion(curve, line, block_interval_s=INTERVAL_S).savefig(options.out / "mempool_load.png", dpi=120)


def theory(load: float) -> float:
    """The closed form for the fee of all others; the probes that pay as much or more come on top of the load."""
    return mean_inclusion_s(
        load * BLOCK_TX / INTERVAL_S + 2 * PROBES_PER_S, block_interval_s=INTERVAL_S, block_tx=BLOCK_TX
    )


if __name__ == "__main__":
    main()
