"""Which engine serves a model on which device, and why."""

from dataclasses import dataclass

from flnft_sim.errors import UnknownNameError
from flnft_sim.learning.engines.base import Engine, TrainingError
from flnft_sim.learning.models import Model
from flnft_sim.machine import has_nvidia_driver

ENGINES = ("auto", "cpu", "torch")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class EngineChoice:
    """Which engine runs on which device, and why, in words for the summary."""

    name: str  # "cpu" or "torch"
    device: str  # "cpu" or "cuda"
    reason: str

    def engine(self) -> Engine:
        """Import the engine chosen; its libraries take seconds, and not every run trains."""
        if self.name == "cpu":
            from flnft_sim.learning.engines.cpu.engine import CpuEngine

            return CpuEngine()
        if self.device == "cuda":
            from flnft_sim.learning.engines.torch_stacked import TorchStacked

            return TorchStacked(self.device)
        from flnft_sim.learning.engines.torch_loop import TorchLoop

        return TorchLoop(self.device)


def choose_engine(
    model: Model, *, engine: str = "auto", device: str = "auto", step_noise: bool = False, private: bool = False
) -> EngineChoice:
    """Choose the engine for a model: the CPU engine wherever it serves, torch elsewhere.

    Raises `TrainingError` where a forced engine or device cannot serve, and where none can train so.
    """
    choice = _choice(model, engine, device, step_noise=step_noise)
    if private and choice.name != "cpu" and (obstacle := choice.engine().serves(model, private=True)):
        raise TrainingError(f"{obstacle}; choose another model, or learning.privacy.mechanism paper")
    return choice


def _choice(model: Model, engine: str, device: str, *, step_noise: bool) -> EngineChoice:
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if device not in DEVICES:
        raise UnknownNameError("device", device, DEVICES)
    if device == "cuda" and not _cuda_available():
        raise TrainingError("device 'cuda': this machine has no CUDA GPU that PyTorch can use; choose 'cpu' or 'auto'")
    if engine == "cpu" and device == "cuda":
        raise TrainingError("engine 'cpu' does not run on device 'cuda'; choose engine 'torch' or device 'cpu'")
    if device == "cuda" or (device == "auto" and engine != "cpu" and _cuda_available()):
        return EngineChoice("torch", "cuda", "all users at once on the GPU")
    if engine == "torch":
        return EngineChoice("torch", "cpu", "asked for")
    obstacle = EngineChoice("cpu", "cpu", "").engine().serves(model, step_noise=step_noise)
    if obstacle is None:
        return EngineChoice(
            "cpu", "cpu", "asked for" if engine == "cpu" else "whole users on every core; it serves this model"
        )
    if engine == "cpu":
        raise TrainingError(f"engine 'cpu' cannot serve: {obstacle}; choose engine 'auto' or 'torch'")
    return EngineChoice("torch", "cpu", obstacle)


def _cuda_available() -> bool:
    """Ask PyTorch for a GPU, but only where the system has a driver: importing PyTorch takes seconds."""
    if not has_nvidia_driver():
        return False
    import torch

    return torch.cuda.is_available()
