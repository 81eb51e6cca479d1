"""The audit of privacy through the engines: a right build passes, mutants do not, and a claim is needed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flnft_sim import load_scenario
from flnft_sim.cli import main
from flnft_sim.errors import InputError
from flnft_sim.experiments import privacy_audit as audited
from flnft_sim.experiments.privacy_audit import Claim, claims, engine_scores, privacy_audit

VALUES = json.loads((Path(__file__).parents[1] / "learning" / "dp_values.json").read_text())
CASE = next(case for case in VALUES["inverse"] if case["target_epsilon"] == 1.0)  # where the margin is widest
CLAIM = Claim(
    epsilon=1.0,
    delta=VALUES["delta"],
    sampling_rate=CASE["sampling_rate"],
    noise_multiplier=CASE["noise_multiplier"]["dp_accounting_pld"],
    steps=CASE["steps"],
    clip_l2=1.0,
)
PRIVATE = {"learning.privacy.mechanism": "dp-sgd"}


@pytest.fixture
def build(monkeypatch):
    """The engines with one thing changed in what they are asked to do."""

    def changed(change):
        right = audited.train_privately
        monkeypatch.setattr(
            audited, "train_privately", lambda *data, descent, **how: right(*data, descent=change(descent), **how)
        )

    return changed


def test_a_right_build_is_not_refuted_in_any_seed():
    audit = privacy_audit(CLAIM)
    assert audit.holds and min(audit.bounds) > 0.0 and max(audit.bounds) <= 1.0


def test_a_tenth_of_the_noise_is_caught(build):
    build(lambda descent: replace(descent, deviations=descent.deviations / 10))
    audit = privacy_audit(CLAIM, seeds=[0], canaries=2000)
    assert not audit.holds and min(audit.bounds) > 1.0


def test_no_clipping_is_caught(build):
    build(lambda descent: replace(descent, clip_l2=1e9))
    assert min(privacy_audit(CLAIM, seeds=[0], canaries=2000).bounds) > 1.0


@pytest.mark.slow  # PyTorch takes seconds to load; that engines agree is held by tests of their own
def test_engines_show_the_same():
    included = np.random.default_rng(4).random(300) < 0.5
    few = replace(CLAIM, steps=20)
    one, other = (engine_scores(few, included, seed=1, engine=engine) for engine in ("cpu", "torch"))
    assert one == pytest.approx(other, rel=1e-4, abs=1e-6 * np.abs(one).max())


def test_a_canary_counts_one_clipping_bound_a_step_in_its_own_direction_alone():
    included = np.arange(200) % 2 == 0
    silent = replace(CLAIM, noise_multiplier=1e-9, sampling_rate=1.0, steps=5)
    for clip in (0.01, 1.0, 30.0):
        scores = engine_scores(replace(silent, clip_l2=clip), included, seed=0)
        counted = scores / (2**0.5 * audited.STEP) * max(clip, 1.0)
        assert counted[included] == pytest.approx(5.0, rel=0.01)
        assert np.abs(counted[~included]).max() < 1e-3


def test_claims_are_both_ends_of_what_may_be_asked_for(monkeypatch):
    monkeypatch.setattr(audited, "dp_noise_multiplier", lambda rate, epsilon, steps, delta: steps / (rate * epsilon))
    fields = PRIVATE | {"learning.privacy.sampling_rate": 1.0, "learning.rounds": 8, "game.epochs_max": 1}
    low, high = claims(load_scenario("tiny", overrides=fields))
    assert (low.epsilon, high.epsilon) == (1.0, 5.0) and (low.noise_multiplier, high.noise_multiplier) == (8.0, 1.6)
    assert low.steps == high.steps == 8


def test_where_nothing_is_claimed_nothing_is_audited(capsys, monkeypatch):
    with pytest.raises(InputError, match="claims no ε"):
        claims(load_scenario("tiny"))
    monkeypatch.setattr("sys.argv", ["flnft", "audit", "--privacy", "tiny"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2 and "dp-sgd" in capsys.readouterr().err
