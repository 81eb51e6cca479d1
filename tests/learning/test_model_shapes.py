"""The shipped models keep their contract with other images and with dropout, too."""

from flnft_sim.testing.models import ModelContract


class TestMlpWithDropout(ModelContract):
    model = "mlp"
    input_shape = (3, 5, 7)
    dropout = 0.4


class TestCnnOfMnist(ModelContract):
    model = "cnn"
    input_shape = (1, 28, 28)
    dropout = 0.5


class TestCnnOfCifar(ModelContract):
    model = "cnn"
    input_shape = (3, 32, 32)
