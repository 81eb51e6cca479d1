"""Data of one's own: arrays in an .npz file, or a folder of images with a folder for each class.

`learning: {dataset: "file:blobs.npz"}` names it; the scenario that is resolved from it keeps the path and the SHA-256.
"""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from flnft_sim.errors import bare, shown
from flnft_sim.files import digest_of
from flnft_sim.knobs import Knob, Settings
from flnft_sim.learning.data.base import DATASETS, DataError, Dataset

MOST_BYTES = 1 << 34  # of arrays, unpacked
TEST_SHARE = 0.2
CHANNELS = (1, 3, 4)
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")

type Part = tuple[np.ndarray, np.ndarray]  # x and y as they were read


@dataclass(frozen=True, kw_only=True)
class FileSettings(Settings):
    """Where the data are, and what they were when the scenario was resolved."""

    path: Annotated[str, Knob("an .npz file with x and y, or a folder with a folder of images for each class")]
    sha256: Annotated[str | None, Knob("of the content; none: whatever is there now")] = None


@DATASETS.register("file", settings=FileSettings)
def file(*, data_dir: Path, split: str, seed: int, progress: Any, settings: FileSettings) -> Dataset:
    """Samples of x, labels of y; without x_test and y_test a fifth of each class, drawn by `seed`, is for testing."""
    del data_dir, split, progress
    path = Path(settings.path).expanduser()
    digest = _checked_digest(path, settings.sha256)
    train, test = _arrays(path) if path.is_file() else (_images(path), None)
    place = bare(str(path))
    names = np.unique(train[1])
    if len(names) < 2:
        raise DataError(f"{place}: y has one class ({shown(names[0].item())}); give samples of two classes at least")
    labels = _labels(train[1], names, place)
    if test is None:
        held = _held_out(labels, names, seed, place)
        (x, y), (test_x, test_y) = (train[0][~held], labels[~held]), (train[0][held], labels[held])
    else:
        (x, y), (test_x, test_y) = (train[0], labels), (test[0], _labels(test[1], names, place))
    scale = _scale(x)
    return Dataset("file", f"{place}, SHA-256 {digest[:12]}…", scale(x), y, scale(test_x), test_y, len(names))


def _checked_digest(path: Path, expected: str | None) -> str:
    try:
        digest = digest_of(path)
    except OSError as error:
        raise DataError(
            f"{bare(str(path))} cannot be read ({error.strerror}); name an .npz file or a folder of images by class"
        ) from None
    if expected is not None and digest != expected:
        raise DataError(
            f"{bare(str(path))} was changed: its SHA-256 is {digest[:12]}…, not {bare(expected[:12])}…; give the data "
            "of then, or name them anew by learning.dataset=file:PATH"
        )
    return digest


def _arrays(path: Path) -> tuple[Part, Part | None]:
    """The part to train on, and the part to test on where there is one."""
    place = bare(str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise DataError(f"{place} unpacks to more than {MOST_BYTES:,} bytes; give less")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in ("x", "y", "x_test", "y_test") if name in stored}
            names = sorted(stored)
    except (zipfile.BadZipFile, OSError, EOFError, KeyError) as error:
        raise DataError(f"{place} is no .npz file ({error}); write one by numpy.savez(file, x=…, y=…)") from None
    except ValueError as error:
        why = "it holds Python objects, which are never unpickled" if "allow_pickle" in str(error) else str(error)
        raise DataError(f"{place} cannot be read: {why}; save arrays of numbers") from None
    for name in ("x", "y"):
        if name not in arrays:
            raise DataError(f"{place} has no array {name!r}, it has {', '.join(names) or 'none'}; give x and y")
    if ("x_test" in arrays) != ("y_test" in arrays):
        raise DataError(f"{place} has only one of x_test and y_test; give both, or neither")
    train = _part(arrays["x"], arrays["y"], place)
    if "x_test" not in arrays:
        return train, None
    test = _part(arrays["x_test"], arrays["y_test"], f"{place} (test)")
    if test[0].shape[1:] != train[0].shape[1:]:
        raise DataError(
            f"{place}: x has samples of {train[0].shape[1:]}, x_test of {test[0].shape[1:]}; make them alike"
        )
    return train, test


def _part(x: np.ndarray, y: np.ndarray, place: str) -> Part:
    """Samples as (n, channels, rows, columns), labels (n,); a table's row is one row of pixels."""
    if x.dtype.kind not in "biuf":
        raise DataError(f"{place}: x holds {x.dtype}, not numbers; encode what is text as numbers")
    if y.ndim != 1 or len(x) != len(y) or not len(y) or y.dtype.kind not in "biuUf":
        raise DataError(
            f"{place}: y of shape {y.shape} and {y.dtype} does not label x of shape {x.shape}; give one each"
        )
    if not np.isfinite(x).all() or (y.dtype.kind == "f" and not (np.isfinite(y) & (y == np.round(y))).all()):
        raise DataError(f"{place}: NaN, infinity or a fraction for a label; fill in or drop such samples")
    x = x.astype(np.float32)
    if x.ndim == 2:
        return x[:, None, None, :], y
    if x.ndim == 3:
        return x[:, None], y
    if x.ndim == 4 and x.shape[1] in CHANNELS:
        return x, y
    if x.ndim == 4 and x.shape[3] in CHANNELS:
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2)), y
    raise DataError(
        f"{place}: x has shape {x.shape}; give a table (n, columns), grey images (n, rows, columns), or images of 1, 3 "
        "or 4 channels, (n, channels, rows, columns) or (n, rows, columns, channels)"
    )


def _labels(y: np.ndarray, names: np.ndarray, place: str) -> np.ndarray:
    """Labels 0 to classes − 1, in the order of the classes' names."""
    at = np.minimum(np.searchsorted(names, y), len(names) - 1)
    strange = np.flatnonzero(names[at] != y)
    if strange.size:
        raise DataError(f"{place}: y_test has a class {shown(y[strange[0]].item())} that y has not; train on it, too")
    return at.astype(np.int64)


def _held_out(labels: np.ndarray, names: np.ndarray, seed: int, place: str) -> np.ndarray:
    """Which samples are for testing: a fifth of each class, at least one."""
    rng, held = np.random.default_rng(seed), np.zeros(len(labels), dtype=bool)
    for label, name in enumerate(names):
        samples = rng.permutation(np.flatnonzero(labels == label))
        if len(samples) < 2:
            raise DataError(f"{place}: class {shown(name.item())} has a single sample; give two, one is for testing")
        held[samples[: max(1, round(TEST_SHARE * len(samples)))]] = True
    return held


def _scale(x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Normalise by what is trained on: each column of a table, each channel of images."""
    axes = (0,) if x.shape[1:3] == (1, 1) else (0, 2, 3)
    mean = x.mean(axis=axes, keepdims=True, dtype=np.float64)
    deviation = x.std(axis=axes, keepdims=True, dtype=np.float64)
    deviation[deviation == 0] = 1.0
    return lambda samples: ((samples - mean) / deviation).astype(np.float32)


def _images(path: Path) -> Part:
    """All images under the folders of a folder, labelled by the folders' names; all of one size."""
    place = bare(str(path))
    files = [each for each in sorted(path.glob("*/*")) if each.suffix.lower() in IMAGES]
    if not files:
        raise DataError(
            f"{place} has no images in folders, such as cat/1.png and dog/1.png; make a folder for each class"
        )
    try:
        from PIL import Image
    except ImportError:
        raise DataError(f"{place}: reading images needs Pillow; pip install pillow, or save an .npz file") from None
    first, pixels = None, []
    for each in files:
        try:
            with Image.open(each) as image:
                kind = "L" if image.mode in ("1", "L") else "RGB"
                told = (image.size, kind) if first is None else first
                found = np.asarray(image.convert(told[1]))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(f"{bare(str(each))} is no readable image ({error}); mend or remove it") from None
        if image.size != told[0]:
            raise DataError(
                f"{bare(str(each))} has {image.size[0]}×{image.size[1]} pixels, {files[0].name} has "
                f"{told[0][0]}×{told[0][1]}; bring all images to one size"
            )
        first = told
        pixels.append(found)
    return _part(np.stack(pixels), np.array([each.parent.name for each in files]), place)
