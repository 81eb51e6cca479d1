"""Every protocol keeps the contract; one written in a file of its own does so too."""

from dataclasses import dataclass

import numpy as np
import pytest

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.ledger import PROTOCOLS, BlockSlot, Consensus, make_consensus
from flnft_sim.testing.consensus import ConsensusContract


class TestPowWithRaces(ConsensusContract):
    protocol = "pow"
    settings = {"propagation_s": 6.0, "propagation": "exponential", "confirmations": 6}  # noqa: RUF012
    expectation_tolerance = 0.5


class TestPbftWithCrashes(ConsensusContract):
    protocol = "pbft"
    settings = {"replicas": 4, "crashed": (3,), "timeout_s": 2.0}  # noqa: RUF012


@dataclass(frozen=True)
class ClockworkSettings:
    period_s: float = 10.0


@PROTOCOLS.register("test-clockwork")
class Clockwork(Consensus):
    Settings = ClockworkSettings
    on_demand = False

    def __init__(self, settings, rng):
        self.period_s = settings.period_s

    @property
    def expected_s(self):
        return self.period_s / 2

    def next_block(self, after_s):
        time_s = (after_s // self.period_s + 1) * self.period_s
        return BlockSlot(proposed_s=time_s, time_s=time_s, final_s=time_s, producer="clock")


class TestOneFromOutside(ConsensusContract):
    protocol = "test-clockwork"
    settings = {"period_s": 8.0}  # noqa: RUF012


def test_unknown_protocols_and_settings_suggest_the_known():
    rng = np.random.default_rng(0)
    with pytest.raises(UnknownNameError, match="did you mean 'pbft'"):
        make_consensus("pbtf", rng)
    with pytest.raises(InputError, match="did you mean 'replicas'"):
        make_consensus("pbft", rng, replica=4)


@pytest.mark.parametrize(
    ("protocol", "settings"),
    [
        ("pow", {"block_interval_s": 0.0}),
        ("pow", {"block_interval_s": float("nan")}),
        ("pow", {"propagation_s": -1.0}),
        ("pow", {"propagation": "slow"}),
        ("pow", {"miners": 0}),
        ("pow", {"confirmations": 0}),
        ("pos", {"block_interval_s": -12.0}),
        ("pos", {"missed": 1.0}),
        ("pos", {"slots_per_epoch": 0}),
        ("pos", {"finality_epochs": -1}),
        ("pbft", {"replicas": 0}),
        ("pbft", {"replicas": 3, "crashed": (1,)}),
        ("pbft", {"crashed": (4,)}),
        ("pbft", {"slow": {1: 0.0}}),
        ("pbft", {"timeout_s": 0.0}),
        ("pbft", {"delay_sd_ms": -0.1}),
    ],
)
def test_settings_out_of_range_are_named(protocol, settings):
    with pytest.raises(InputError) as error:
        make_consensus(protocol, np.random.default_rng(0), **settings)
    assert protocol in str(error.value).lower()
    assert next(iter(settings)) in str(error.value) or "replicas" in str(error.value)
