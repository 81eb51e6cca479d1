"""Every run of the reproduction is one that the simulator takes, long before it is its turn to be computed."""

import pytest

from flnft_sim.paper.parts import PARTS
from flnft_sim.paper.scale import FULL, QUICK
from flnft_sim.sweeps.plan import load_plan, sweep_names
from flnft_sim.sweeps.runs import Runs
from flnft_sim.sweeps.simulator import FlnftSimulator


@pytest.mark.parametrize("scale", [FULL, QUICK], ids=lambda scale: scale.name)
@pytest.mark.parametrize("part", PARTS)
def test_every_point_of_the_papers_studies_resolves(part, scale):
    for study in PARTS[part].studies(scale):
        assert len(Runs(study.sweep, study.simulator))  # resolves them all, and names the first that cannot run


@pytest.mark.parametrize("name", sweep_names())
def test_every_point_of_a_shipped_sweep_resolves(name):
    assert len(Runs(load_plan(name), FlnftSimulator()))
