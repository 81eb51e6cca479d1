"""CIFAR-10 from its binary version: the six batch files, or the archive that holds them."""

import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from flnft_sim.learning.data.base import DATASETS, DataError, Dataset, Facts
from flnft_sim.learning.data.files import download, find_file, sha256_of
from flnft_sim.settings.learning import InputSettings

ARCHIVE = "cifar-10-binary.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
ARCHIVE_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
FOLDER = "cifar-10-batches-bin"
SHAPE = (3, 32, 32)
RECORD_BYTES = 1 + 3 * 32 * 32  # a label, then the red, green and blue planes row by row
RECORDS = 10_000  # in each file
CLASSES = 10

TEST = "test_batch"
CANONICAL_SHA256 = {
    "data_batch_1": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    TEST: "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}


@DATASETS.register("cifar10", facts=Facts(SHAPE, CLASSES, 5 * RECORDS), settings=InputSettings)
def cifar10(*, data_dir: Path, split: str, seed: int, progress: Any, settings: InputSettings) -> Dataset:
    """Colour photographs, 32×32×3, 10 classes, 50,000 for training and 10,000 for testing in both splits.

    Files whose content is not the published one (decoded from JPEG, say) are accepted when they are well formed, and
    `source` says so.
    """
    del split, seed  # one split
    content = _contents(data_dir, progress)
    canonical = all(sha256_of(content[name]) == sha for name, sha in CANONICAL_SHA256.items())
    check = "canonical content (SHA-256)" if canonical else "not the canonical content (re-encoded images?)"
    train = [_records(content[name], name) for name in CANONICAL_SHA256 if name != TEST]
    test_x, test_y = _records(content[TEST], TEST)
    train_x, train_y = (np.concatenate(parts) for parts in zip(*train, strict=True))
    train_x, test_x = (_scaled(images, settings) for images in (train_x, test_x))
    return Dataset("cifar10", f"CIFAR-10, {check}", train_x, train_y, test_x, test_y, CLASSES)


def _contents(data_dir: Path, progress: Any) -> dict[str, bytes]:
    """Read the six files from a folder, else from the archive, which is downloaded where there is neither."""
    paths = {
        name: find_file(data_dir, f"cifar10/{FOLDER}/{name}.bin", f"{FOLDER}/{name}.bin") for name in CANONICAL_SHA256
    }
    missing = [f"{name}.bin" for name, path in paths.items() if path is None]
    if not missing:
        return {name: path.read_bytes() for name, path in paths.items() if path is not None}
    if len(missing) < len(paths):
        raise DataError(
            f"CIFAR-10 in {data_dir} is incomplete: {', '.join(missing)} missing beside the other batches; add them, "
            "or remove the folder to download the archive"
        )
    archive = find_file(data_dir, f"cifar10/{ARCHIVE}", ARCHIVE) or download(
        URL, ARCHIVE_SHA256, data_dir, f"cifar10/{ARCHIVE}", what="CIFAR-10", progress=progress
    )
    return _unpacked(archive)


def _unpacked(archive: Path) -> dict[str, bytes]:
    """Read the six files out of the archive without writing any."""
    try:
        with tarfile.open(archive) as tar:
            members = {name: tar.extractfile(f"{FOLDER}/{name}.bin") for name in CANONICAL_SHA256}
            return {name: member.read() for name, member in members.items() if member is not None}
    except (OSError, EOFError, KeyError, tarfile.TarError) as error:
        raise DataError(
            f"{archive} is truncated or not CIFAR-10's binary version ({error}); delete it to download it anew"
        ) from error


def _records(content: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Cut a batch file into images (10000, 3, 32, 32) uint8 and labels (10000,) int64."""
    if len(content) != RECORDS * RECORD_BYTES:
        raise DataError(
            f"CIFAR-10's {name}.bin has {len(content)} bytes instead of {RECORDS * RECORD_BYTES}: it is truncated "
            "or altered; delete it and fetch it anew"
        )
    records = np.frombuffer(content, np.uint8).reshape(RECORDS, RECORD_BYTES)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= CLASSES:
        raise DataError(
            f"CIFAR-10's {name}.bin has label {labels.max()}, out of range 0..9: it is altered; fetch it anew"
        )
    return records[:, 1:].reshape(RECORDS, *SHAPE), labels


def _scaled(images: np.ndarray, settings: InputSettings) -> np.ndarray:
    """Map pixels to [−1, 1], as the base framework does (mean and deviation 0.5), or to [0, 1]."""
    x = images.astype(np.float32)
    if settings.inputs == "unit":
        x /= 255.0
        return x
    x /= 127.5
    x -= 1.0
    return x
