"""Data of one's own: arrays and folders of images become data sets, and what is wrong with them is one sentence."""

import numpy as np
import pytest
from PIL import Image

from flnft_sim import load_scenario, run
from flnft_sim.learning import DataError, load_dataset
from flnft_sim.scenario import ScenarioError
from flnft_sim.sweeps.identity import identity

Y = np.arange(90) % 3
TABLE = np.random.default_rng(1).normal(size=(90, 5)) * 7 + Y[:, None]


def saved(folder, **arrays):
    np.savez(folder / "own.npz", **arrays)
    return f"file:{folder / 'own.npz'}"


def pictures(folder, size=(6, 6), mode="RGB"):
    rng = np.random.default_rng(2)
    for name in ("cat", "dog"):
        (folder / "images" / name).mkdir(parents=True, exist_ok=True)
        for number in range(5):
            pixels = rng.integers(0, 255, (*size, 3) if mode == "RGB" else size, dtype=np.uint8)
            Image.fromarray(pixels, mode).save(folder / "images" / name / f"{number}.png")
    return f"file:{folder / 'images'}/"


@pytest.mark.parametrize(
    ("shape", "becomes"),
    [
        ((90, 5), (1, 1, 5)),
        ((90, 7, 8), (1, 7, 8)),
        ((90, 3, 7, 8), (3, 7, 8)),
        ((90, 7, 8, 3), (3, 7, 8)),
    ],
)
def test_tables_and_images_take_the_common_layout(tmp_path, shape, becomes):
    data = load_dataset(saved(tmp_path, x=np.random.default_rng(0).normal(size=shape), y=Y), seed=3)
    assert data.input_shape == becomes and data.classes == 3
    assert (len(data.train_y), len(data.test_y)) == (72, 18)
    assert np.bincount(data.test_y).tolist() == [6, 6, 6]


def test_each_column_of_a_table_is_normalised_by_what_is_trained_on(tmp_path):
    data = load_dataset(saved(tmp_path, x=TABLE * np.array([1, 10, 1e3, 1e-3, 0]), y=Y))
    columns = data.train_x[:, 0, 0]
    np.testing.assert_allclose(columns.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(columns.std(axis=0), [1, 1, 1, 1, 0], rtol=1e-4)


def test_a_test_part_of_its_own_is_kept_and_labels_may_be_words(tmp_path):
    words = np.array(["c", "a", "b"])[Y]
    data = load_dataset(saved(tmp_path, x=TABLE, y=words, x_test=TABLE[:4], y_test=words[:4]))
    assert len(data.train_y) == 90
    np.testing.assert_array_equal(data.test_y, [2, 0, 1, 2])


def test_a_folder_of_images_by_class(tmp_path):
    data = load_dataset(pictures(tmp_path))
    assert data.input_shape == (3, 6, 6) and data.classes == 2 and len(data.train_y) == 8
    assert load_dataset(pictures(tmp_path, mode="L")).input_shape == (1, 6, 6)


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"x": TABLE}, "has no array 'y', it has x; give x and y"),
        ({"x": TABLE, "y": Y[:-1]}, r"does not label x of shape \(90, 5\)"),
        ({"x": TABLE[:, :1, None, None, None], "y": Y}, r"x has shape \(90, 1, 1, 1, 1\); give a table"),
        ({"x": np.where(TABLE > 9, np.nan, TABLE), "y": Y}, "NaN"),
        ({"x": TABLE, "y": Y + 0.5}, "a fraction for a label"),
        ({"x": TABLE, "y": Y * 0}, r"y has one class \(0\)"),
        ({"x": TABLE, "y": np.r_[9, Y[1:]]}, "class 9 has a single sample"),
        ({"x": TABLE.astype(str), "y": Y}, "x holds <U32, not numbers"),
        ({"x": np.array([{}] * 90), "y": Y}, "never unpickled"),
        ({"x": TABLE, "y": Y, "x_test": TABLE}, "only one of x_test and y_test"),
        ({"x": TABLE, "y": Y, "x_test": TABLE[:, :2], "y_test": Y}, "make them alike"),
        ({"x": TABLE, "y": Y, "x_test": TABLE, "y_test": Y + 1}, "y_test has a class 3"),
        ({"x": TABLE[:0], "y": Y[:0]}, "does not label"),
    ],
)
def test_what_is_wrong_with_arrays_is_one_sentence(tmp_path, arrays, told):
    with pytest.raises(DataError, match=told) as fault:
        load_dataset(saved(tmp_path, **arrays))
    assert "\n" not in str(fault.value)


def test_what_is_no_file_of_arrays_is_one_sentence(tmp_path):
    (tmp_path / "text.npz").write_text("no arrays")
    with pytest.raises(DataError, match=r"is no \.npz file"):
        load_dataset(f"file:{tmp_path / 'text.npz'}")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="has no images in folders"):
        load_dataset(f"file:{tmp_path / 'empty'}")
    with pytest.raises(DataError, match="cannot be read"):
        load_dataset(f"file:{tmp_path / 'nowhere.npz'}")


def test_images_that_differ_or_are_none_are_named(tmp_path):
    place = pictures(tmp_path)
    Image.new("RGB", (9, 6)).save(tmp_path / "images/dog/9.png")
    with pytest.raises(DataError, match=r"dog/9\.png has 9×6 pixels"):
        load_dataset(place)
    (tmp_path / "images/dog/9.png").write_text("no image")
    with pytest.raises(DataError, match=r"dog/9\.png is no readable image"):
        load_dataset(place)


def test_a_scenario_names_what_lies_beside_it_and_keeps_its_content(tmp_path):
    saved(tmp_path, x=TABLE, y=Y)
    fields = "learning: {dataset: 'file:own.npz', rounds: 1}\ngame: {history_auctions: 1}\n"
    (tmp_path / "mine.yaml").write_text(f"extends: tiny\n{fields}")
    scenario = load_scenario(tmp_path / "mine.yaml")
    assert scenario.learning.told("dataset") == {
        "path": str(tmp_path / "own.npz"),
        "sha256": scenario.learning.told("dataset")["sha256"],
    }
    result = run(scenario)
    result.save(tmp_path / "run", figures="none")
    assert run(tmp_path / "run/manifest.json").ledger_lines == result.ledger_lines
    before = identity(scenario.model_dump(mode="json"))
    saved(tmp_path, x=TABLE + 1, y=Y)
    with pytest.raises(DataError, match="was changed"):
        run(tmp_path / "run/manifest.json")
    assert identity(load_scenario(tmp_path / "mine.yaml").model_dump(mode="json")) != before
    (tmp_path / "own.npz").unlink()
    with pytest.raises(ScenarioError, match=r"own\.npz: cannot be read"):
        load_scenario(tmp_path / "mine.yaml")
    with pytest.raises(DataError, match="cannot be read"):
        run(tmp_path / "run/manifest.json")
