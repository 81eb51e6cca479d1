"""What a fitted curve lets a DAO foresee of a whole minting."""

from dataclasses import dataclass

from flnft_sim.arrays import Floats


@dataclass(frozen=True)
class Foresight:
    """A minting of all rounds in which each of N members trains the same number of epochs a round, before it begins."""

    mean_loss: Floats
    """(N,) each member's mean cross-entropy over the rounds."""
    update_norm: Floats
    """(N,) of its last noised update."""
    accuracy: float
    """Of the model after the last round."""
    accuracy_error: float
    """By how much fitted curves miss the accuracy of a run's last round, on average."""
    loss_error: float
    """By how much they miss its loss."""
