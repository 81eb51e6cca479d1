"""One workload of the full reproduction on real MNIST: a quarter of an hour, `make test-slow`."""

from dataclasses import replace

import pytest

from flnft_sim.paper import FULL, reproduce
from flnft_sim.sweeps.tables import read_csv


@pytest.mark.slow
@pytest.mark.data
def test_one_seed_of_figure_5_on_mnist(tmp_path):
    scale = replace(FULL, workloads=(("mnist", "mlp"),), seeds=1)
    made = reproduce(["fig5", "fig6"], scale, out=tmp_path)
    final = read_csv(tmp_path / "fig5-final.csv").set_index("scheme")["accuracy"]
    assert final["centralized"] > final["pms-am"] > final["random"] > 0.95
    assert final["loss"] == final["gradient-norm"]
    averages = read_csv(tmp_path / "fig6.csv").pivot(index="scheme", columns="measure", values="mean")
    assert averages["user_utility"].idxmax() == "pms-am"
    assert averages["cost"].idxmin() == "random"
    assert (averages["user_utility"] >= 0).all()
    assert made.studies["schemes"].failed == 0
