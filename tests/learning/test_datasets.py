"""Data sets: what is loaded, from where, and what is said when it cannot be."""

import gzip
import hashlib
import struct
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.learning import DATASETS, Dataset, data_directory, load_dataset
from flnft_sim.learning.data import cifar10, files, mnist

NOWHERE = "http://127.0.0.1:9/"  # the discard port: refused at once


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched from the internet, and nothing is tried twice."""
    monkeypatch.setattr(mnist, "BASE_URL", NOWHERE)
    monkeypatch.setattr(cifar10, "URL", f"{NOWHERE}{cifar10.ARCHIVE}")
    monkeypatch.setattr(files, "RETRIES", 0)


def test_digits_are_scikit_learns_dealt_into_two_parts() -> None:
    data = load_dataset("digits", seed=4)
    assert data.train_x.shape == (1437, 1, 8, 8)
    assert data.test_x.shape == (360, 1, 8, 8)
    everything = np.concatenate([data.train_x, data.test_x]).reshape(-1, 64)
    original = (load_digits().data / 16 - 0.3053) / 0.3761
    np.testing.assert_allclose(np.sort(everything, axis=0), np.sort(original, axis=0), atol=1e-6)
    assert abs(everything.mean()) < 0.01
    assert abs(everything.std() - 1) < 0.01


def test_digits_are_found_wherever_scikit_learn_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load_dataset("digits", seed=4)
    monkeypatch.setattr("flnft_sim.learning.data.digits.find_spec", lambda _name: None)
    asked = load_dataset("digits", seed=4)
    assert np.array_equal(data.train_x, asked.train_x) and np.array_equal(data.test_y, asked.test_y)


@pytest.mark.parametrize("name", ["digits", "synthetic"])
def test_a_seed_chooses_the_data(name: str) -> None:
    one, same, other = load_dataset(name, seed=1), load_dataset(name, seed=1), load_dataset(name, seed=2)
    np.testing.assert_array_equal(one.train_x, same.train_x)
    np.testing.assert_array_equal(one.test_y, same.test_y)
    assert (one.train_x != other.train_x).any()


def test_synthetic_images_have_any_shape_and_can_be_learnt() -> None:
    data = load_dataset("synthetic", shape=(2, 5, 7), classes=3, train=300, test=50)
    assert data.input_shape == (2, 5, 7)
    assert data.train_x.dtype == np.float32
    centres = np.stack([data.train_x[data.train_y == label].mean(axis=0) for label in range(3)])
    nearest = ((data.test_x[:, None] - centres) ** 2).sum(axis=(2, 3, 4)).argmin(axis=1)
    assert (nearest == data.test_y).mean() > 0.95


def fake_mnist(folder: Path, monkeypatch: pytest.MonkeyPatch, *, images: int = 12) -> None:
    """Write tiny IDX files and make them the canonical ones."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, hashes = np.random.default_rng(0), {}
    for part in ("train", "t10k"):
        pixels, labels = rng.integers(0, 256, (images, 28, 28), np.uint8), rng.integers(0, 10, images, np.uint8)
        contents = {
            f"{part}-images-idx3-ubyte": struct.pack(">4I", 2051, images, 28, 28) + pixels.tobytes(),
            f"{part}-labels-idx1-ubyte": struct.pack(">2I", 2049, images) + labels.tobytes(),
        }
        for name, content in contents.items():
            packed = gzip.compress(content, mtime=0)
            (folder / f"{name}.gz").write_bytes(packed)
            hashes[name] = (hashlib.sha256(packed).hexdigest(), hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(mnist, "HASHES", hashes)
    monkeypatch.setattr(mnist, "PAPER_TRAINING_IMAGES", images - 2)


def test_mnist_is_read_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_mnist(tmp_path / "mnist", monkeypatch)
    full, paper = (load_dataset("mnist", data_dir=tmp_path, split=split) for split in ("full", "paper"))
    assert (len(full.train_x), len(paper.train_x), len(full.test_x), len(paper.test_x)) == (12, 10, 12, 12)
    raw = gzip.decompress((tmp_path / "mnist" / "train-images-idx3-ubyte.gz").read_bytes())[16:]
    pixels = np.frombuffer(raw, np.uint8).reshape(12, 1, 28, 28)
    np.testing.assert_allclose(full.train_x, (pixels / 255 - 0.1307) / 0.3081, atol=1e-5)
    assert "canonical content" in full.source


def test_the_data_directory_comes_from_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLNFT_DATA", str(tmp_path))
    assert data_directory() == tmp_path
    assert data_directory("elsewhere") == Path("elsewhere")
    monkeypatch.delenv("FLNFT_DATA")
    assert data_directory().is_absolute()


def test_an_altered_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_mnist(tmp_path / "mnist", monkeypatch)
    path = tmp_path / "mnist" / "t10k-images-idx3-ubyte.gz"
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[100] ^= 1
    path.write_bytes(gzip.compress(bytes(content)))
    with pytest.raises(InputError, match=r"t10k-images-idx3-ubyte.gz does not hold MNIST's"):
        load_dataset("mnist", data_dir=tmp_path)


def test_another_gzip_wrapping_is_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_mnist(tmp_path / "mnist", monkeypatch)
    path = tmp_path / "mnist" / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), compresslevel=1, mtime=7))
    assert len(load_dataset("mnist", data_dir=tmp_path).train_x) == 10


@pytest.mark.parametrize("keep", [0, 1, 20, 200])
def test_a_truncated_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: int) -> None:
    fake_mnist(tmp_path / "mnist", monkeypatch)
    path = tmp_path / "mnist" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte.gz (is truncated|does not hold)"):
        load_dataset("mnist", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "what"), [("mnist", "train-images-idx3-ubyte.gz"), ("cifar10", "cifar-10-binary.tar.gz")]
)
def test_no_file_and_no_network_says_what_to_put_where(tmp_path: Path, name: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        load_dataset(name, data_dir=tmp_path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert f"put {what} into {tmp_path / name}" in sentence
    assert "no connection" in sentence
    assert "FLNFT_DATA" in sentence


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Serve a folder on this machine; yields its address and the folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None: ...

    folder = tmp_path / "served"
    folder.mkdir()
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}/", folder
    httpd.shutdown()
    thread.join()
    httpd.server_close()


class Bar:
    """What pooch drives while it downloads."""

    def __init__(self) -> None:
        self.total, self.seen = 0, 0

    def update(self, size: int) -> None:
        self.seen += size

    def reset(self) -> None:
        self.seen = 0

    def close(self) -> None: ...


def test_missing_files_are_downloaded_checked_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: tuple[str, Path]
) -> None:
    url, folder = server
    fake_mnist(folder, monkeypatch)
    monkeypatch.setattr(mnist, "BASE_URL", url)
    target, bar = tmp_path / "data", Bar()
    with pytest.raises(InputError, match=r"data does not exist.*--data-dir"):
        load_dataset("mnist", data_dir=target)
    assert not target.exists()
    target.mkdir()
    assert len(load_dataset("mnist", data_dir=target, progress=bar).train_x) == 10
    assert bar.seen == bar.total > 0
    monkeypatch.setattr(mnist, "BASE_URL", NOWHERE)
    assert len(load_dataset("mnist", data_dir=target).train_x) == 10


def test_a_download_with_another_content_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: tuple[str, Path]
) -> None:
    url, folder = server
    fake_mnist(folder, monkeypatch)
    monkeypatch.setattr(mnist, "BASE_URL", url)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(b"something else")
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError, match="hash"):
        load_dataset("mnist", data_dir=tmp_path / "data")
    assert not (tmp_path / "data" / "mnist" / "train-labels-idx1-ubyte.gz").exists()


RECORDS = 3


def fake_cifar(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Write tiny batch files; returns their contents."""
    monkeypatch.setattr(cifar10, "RECORDS", RECORDS)
    folder.mkdir(parents=True)
    rng, contents = np.random.default_rng(0), {}
    for name in cifar10.CANONICAL_SHA256:
        records = rng.integers(0, 256, (RECORDS, 3073), np.uint8)
        records[:, 0] %= 10
        contents[name] = records.tobytes()
        (folder / f"{name}.bin").write_bytes(contents[name])
    return contents


def test_cifar10_is_read_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = fake_cifar(tmp_path / "cifar10" / cifar10.FOLDER, monkeypatch)
    data = load_dataset("cifar10", data_dir=tmp_path)
    assert data.train_x.shape == (5 * RECORDS, 3, 32, 32)
    first = np.frombuffer(contents["data_batch_1"], np.uint8)
    assert data.train_y[0] == first[0]
    np.testing.assert_allclose(data.train_x[0, 1, 2, 3], first[1 + 1024 + 2 * 32 + 3] / 127.5 - 1, atol=1e-6)
    assert "not the canonical content" in data.source  # made up, as images decoded from JPEG would be


def test_cifar10_is_read_from_its_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "build" / cifar10.FOLDER
    fake_cifar(folder, monkeypatch)
    archive = tmp_path / cifar10.ARCHIVE
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=cifar10.FOLDER)
    assert len(load_dataset("cifar10", data_dir=tmp_path).test_x) == RECORDS
    archive.write_bytes(archive.read_bytes()[:-500])
    with pytest.raises(InputError, match="truncated or not CIFAR-10"):
        load_dataset("cifar10", data_dir=tmp_path)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda content: content[:-1], "data_batch_3.bin has 9218 bytes instead of 9219"),
        (lambda content: bytes([10]) + content[1:], "label 10, out of range"),
        (None, "data_batch_3.bin missing"),
    ],
)
def test_damaged_batches_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage, words: str) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / cifar10.FOLDER
    contents = fake_cifar(folder, monkeypatch)
    path = folder / "data_batch_3.bin"
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage(contents["data_batch_3"]))
    with pytest.raises(InputError, match=words):
        load_dataset("cifar10", data_dir=tmp_path)


def test_bad_requests_are_named() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'cifar10'"):
        load_dataset("cifar-10")
    with pytest.raises(InputError, match="neither 'paper' nor 'full'"):
        load_dataset("digits", split="half")
    with pytest.raises(InputError, match="dataset 'digits' has no setting 'shape'; known: inputs"):
        load_dataset("digits", shape=(1, 2, 3))
    with pytest.raises(InputError, match="at least 1"):
        load_dataset("synthetic", train=0)


@pytest.mark.parametrize("name", ["digits"])
def test_what_is_known_of_a_data_set_is_true(name: str) -> None:
    facts, data = DATASETS.facts(name), load_dataset(name)
    assert (facts.input_shape, facts.classes, facts.samples) == (data.input_shape, data.classes, len(data.train_y))


@pytest.mark.data
@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_what_is_known_of_a_data_set_of_files_is_true(name: str, data_dir: Path) -> None:
    facts, data = DATASETS.facts(name), load_dataset(name, data_dir=data_dir)
    assert (facts.input_shape, facts.classes, facts.samples) == (data.input_shape, data.classes, len(data.train_y))


def test_labels_out_of_range_are_refused() -> None:
    x, y = np.zeros((2, 1, 3, 3), np.float32), np.array([0, 2])
    with pytest.raises(InputError, match=r"label 2 is out of range; labels must be in 0..1"):
        Dataset("mine", "made up", x, y, x, np.array([0, 1]), 2)
    with pytest.raises(InputError, match="do not match"):
        Dataset("mine", "made up", x, y[:1], x, y, 3)


@pytest.mark.data
def test_the_real_files_load(data_dir: Path) -> None:
    digits = load_dataset("mnist", data_dir=data_dir, split="full")
    assert digits.train_x.shape == (60_000, 1, 28, 28)
    assert np.bincount(digits.test_y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    photographs = load_dataset("cifar10", data_dir=data_dir)
    assert np.bincount(photographs.train_y).tolist() == [5000] * 10
    assert photographs.test_x.shape == (10_000, 3, 32, 32)
