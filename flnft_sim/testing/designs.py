"""The contract every sampling method of sweeps keeps; one of your own inherits its tests:

class TestMyDesign(DesignContract):
    design = "my-design"
"""

import numpy as np

from flnft_sim.arrays import Floats
from flnft_sim.sweeps import DESIGNS


class DesignContract:
    """Subclass it in a test module, set `design` to a registered name, and pytest runs the rest."""

    design: str
    n: int = 8
    """The size asked for; choose another where the method takes none that is a power of two."""

    def draw(self, dimensions: int, seed: int = 0) -> Floats:
        """Draw the points."""
        return DESIGNS.get(self.design)(dimensions, self.n, seed)

    def test_points_lie_in_the_unit_cube(self) -> None:
        """A row a point and a column a dimension, at least as many points as asked for."""
        for dimensions in (1, 2, 5):
            points = self.draw(dimensions)
            assert points.ndim == 2 and points.shape[1] == dimensions
            assert len(points) >= self.n
            assert ((points >= 0) & (points <= 1)).all()

    def test_every_dimension_is_varied(self) -> None:
        """And no two dimensions alike."""
        points = self.draw(4)
        assert (points.max(axis=0) > points.min(axis=0)).all()
        assert len(np.unique(points, axis=1).T) == 4

    def test_the_seed_alone_decides(self) -> None:
        """Equal seeds draw equal points, also with other draws in between, and another seed draws others."""
        one = self.draw(3, seed=5)
        np.random.default_rng(0).random(10)
        other = self.draw(3, seed=6)
        np.testing.assert_array_equal(self.draw(3, seed=5), one)
        assert not np.array_equal(one, other)
