"""MNIST from its four canonical IDX files."""

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from flnft_sim.learning.data.base import DATASETS, DataError, Dataset, Facts
from flnft_sim.learning.data.files import download, find_file, sha256_of
from flnft_sim.settings.learning import InputSettings

BASE_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/"
PAPER_TRAINING_IMAGES = 50_000
CLASSES = 10
MEAN, DEVIATION = 0.1307, 0.3081  # of the training pixels in [0, 1]; the base framework's normalisation

# file → (SHA-256 of the published .gz, SHA-256 of its content). A local file may be wrapped by another gzip, so of
# that only the content is checked.
HASHES = {
    "train-images-idx3-ubyte": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train-labels-idx1-ubyte": (
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k-images-idx3-ubyte": (
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "t10k-labels-idx1-ubyte": (
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}


@DATASETS.register("mnist", facts=Facts((1, 28, 28), CLASSES, PAPER_TRAINING_IMAGES), settings=InputSettings)
def mnist(*, data_dir: Path, split: str, seed: int, progress: Any, settings: InputSettings) -> Dataset:
    """Handwritten digits, 28×28×1, 10 classes; tested on the canonical 10,000 test images.

    Split "paper" trains on 50,000 of the 60,000 training images, drawn by `seed`; "full" on all of them.
    """
    content = {name: _content(data_dir, name, progress) for name in HASHES}
    train_x, test_x = (_images(content[f"{part}-images-idx3-ubyte"], settings) for part in ("train", "t10k"))
    train_y, test_y = (_labels(content[f"{part}-labels-idx1-ubyte"]) for part in ("train", "t10k"))
    if split == "paper":
        chosen = np.sort(np.random.default_rng(seed).choice(len(train_x), PAPER_TRAINING_IMAGES, replace=False))
        train_x, train_y = train_x[chosen], train_y[chosen]
    source = f"MNIST, canonical content (SHA-256), split {split}"
    return Dataset("mnist", source, train_x, train_y, test_x, test_y, CLASSES)


def _content(data_dir: Path, name: str, progress: Any) -> bytes:
    """Return the decompressed content of one file, which must be the canonical one."""
    packed, expected = HASHES[name]
    path = find_file(data_dir, f"mnist/{name}.gz", f"{name}.gz") or download(
        f"{BASE_URL}{name}.gz", packed, data_dir, f"mnist/{name}.gz", what=f"MNIST's {name}", progress=progress
    )
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} is truncated or no gzip file ({error}); delete it to download it anew") from error
    if sha256_of(content) != expected:
        raise DataError(
            f"{path} does not hold MNIST's {name}: SHA-256 {sha256_of(content)[:12]}… instead of "
            f"{expected[:12]}…; delete it to download it anew"
        )
    return content


def _images(content: bytes, settings: InputSettings) -> np.ndarray:
    """Decode an IDX3 file to scaled images (n, 1, 28, 28)."""
    _, count, rows, columns = struct.unpack(">4I", content[:16])
    x = np.frombuffer(content, np.uint8, offset=16).reshape(count, 1, rows, columns).astype(np.float32)
    x /= 255.0
    if settings.inputs == "standard":
        x -= MEAN
        x /= DEVIATION
    return x


def _labels(content: bytes) -> np.ndarray:
    """Decode an IDX1 file."""
    return np.frombuffer(content, np.uint8, offset=8).astype(np.int64)
