"""Simulators small enough to run thousands of times; importable by worker processes."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from flnft_sim.errors import InputError, did_you_mean

FIELDS = {"x": 1.0, "y": 2.0, "kind": "plain"}


@dataclass(frozen=True)
class Output:
    summary: dict[str, Any]
    rounds: pd.DataFrame


@dataclass(frozen=True)
class Toy:
    """z = x + 10·y + noise of the seed. Appends a line to `log` for every run it finishes."""

    log: str = ""
    pause_s: float = 0.0

    def resolve(self, scenario: str, overrides: Mapping[str, Any]) -> dict[str, Any]:
        for field in overrides:
            if field not in FIELDS:
                raise InputError(f"unknown field {field!r}{did_you_mean(field, FIELDS)}")
        return {"seed": 0, **FIELDS, **overrides}

    def run(self, resolved: Mapping[str, Any]) -> Output:
        time.sleep(self.pause_s)
        if resolved["kind"] == "broken":
            raise ValueError(f"cannot\nrun {object()!r}")
        if resolved["kind"] == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        noise = np.random.default_rng(resolved["seed"]).normal()
        z = resolved["x"] + 10 * resolved["y"] + noise
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{resolved['x']} {resolved['y']} {resolved['seed']}\n")
        rounds = pd.DataFrame({"dao": 0, "round": np.arange(3), "loss": z / (1 + np.arange(3))})
        return Output({"z": np.float64(z), "pair": z * resolved["x"], "kind": resolved["kind"]}, rounds)
