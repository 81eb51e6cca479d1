"""The contract every model keeps; a model of your own inherits its tests:

class TestMyModel(ModelContract):
    model = "my-model"
    input_shape = (1, 8, 8)
"""

import numpy as np

from flnft_sim.learning import Model, build_model, load_dataset, train_users

CLASSES = 4


class ModelContract:
    """Subclass it in a test module, set `model` to a registered name and `input_shape`, and pytest runs the rest."""

    model: str
    input_shape: tuple[int, int, int]
    dropout: float = 0.0

    def build(self) -> Model:
        """Build the model under test."""
        return build_model(self.model, self.input_shape, CLASSES, dropout=self.dropout)

    def shards(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Draw learnable images for two users of unlike size."""
        data = load_dataset("synthetic", shape=self.input_shape, classes=CLASSES, train=88, test=1)
        return [(data.train_x[rows], data.train_y[rows]) for rows in (slice(0, 50), slice(50, 88))]

    def train(self, engine: str, epochs: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Train two users from the same start."""
        model = self.build()
        return train_users(
            model,
            model.initial(1),
            self.shards(),
            epochs=epochs,
            batch_size=16,
            lr=0.02,
            momentum=0.5,
            seed=3,
            engine=engine,
            device="cpu",
        )

    def test_the_flat_vector_is_the_modules_parameters_in_order(self) -> None:
        """Names and shapes are those of `module().named_parameters()`."""
        model = self.build()
        expected = {name: tuple(p.shape) for name, p in model.module().named_parameters()}
        assert list(model.parameter_shapes.items()) == list(expected.items())
        assert model.upload_bits == 32 * sum(int(np.prod(shape)) for shape in expected.values())

    def test_unflatten_cuts_the_vector_and_loses_nothing(self) -> None:
        """The named arrays, put back to back, are the vector."""
        model = self.build()
        params = model.initial(0)
        parts = model.unflatten(params)
        assert {name: part.shape for name, part in parts.items()} == model.parameter_shapes
        np.testing.assert_array_equal(np.concatenate([part.ravel() for part in parts.values()]), params)
        np.testing.assert_array_equal(model.flatten(parts), params)

    def test_a_start_is_the_same_for_the_same_seed(self) -> None:
        """And another one for another seed; finite float32."""
        model = self.build()
        first = model.initial(5)
        assert first.dtype == np.float32
        assert np.isfinite(first).all()
        np.testing.assert_array_equal(first, self.build().initial(5))
        assert (first != model.initial(6)).any()

    def test_flops_are_those_of_one_training_sample(self) -> None:
        """Counted by PyTorch on the module's forward and backward pass."""
        import torch
        from torch.utils.flop_counter import FlopCounterMode

        model = self.build()
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            model.module()(torch.empty((1, *self.input_shape))).sum().backward()
        assert model.flops_per_sample == counter.get_total_flops()

    def test_training_is_repeatable_and_learns(self) -> None:
        """The same seed gives the same bytes; more epochs give a smaller loss."""
        first, again = self.train("torch"), self.train("torch")
        for a, b in zip(first, again, strict=True):
            np.testing.assert_array_equal(a, b)
        assert self.train("torch", epochs=12)[1].mean() < first[1].mean()

    def test_every_engine_that_serves_it_agrees(self) -> None:
        """The engine chosen by itself does what PyTorch does."""
        for chosen, torch in zip(self.train("auto"), self.train("torch"), strict=True):
            np.testing.assert_allclose(chosen, torch, rtol=2e-4, atol=2e-5)
