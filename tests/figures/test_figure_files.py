"""A run's figures come in the format asked for, with text that stays text, and repeat byte by byte."""

import hashlib
import re
import subprocess
import sys

import pytest
from matplotlib.figure import Figure
from synthetic_episode import episode

from flnft_sim.errors import InputError, UnknownNameError
from flnft_sim.figures import FIGURES, render_all, save_figure
from flnft_sim.formats import FORMATS, figure_format

STARTS = {"png": b"\x89PNG", "pdf": b"%PDF-", "svg": b"<?xml"}

DIGESTS = """
import hashlib
from synthetic_episode import episode
from flnft_sim.figures import render_all
for format in ("png", "pdf", "svg"):
    for name, data in render_all(episode(), format):
        print(name, format, hashlib.sha256(data).hexdigest())
"""


@pytest.fixture(scope="module")
def files():
    """Every figure's bytes by (format, name)."""
    return {(format, name): data for format in FORMATS for name, data in render_all(episode(), format)}


def of(files, wanted):
    return [data for (format, _), data in files.items() if format == wanted]


def test_every_figure_is_drawn_in_every_format(files):
    assert set(files) == {(format, name) for format in FORMATS for name in FIGURES.names()}
    assert all(data.startswith(STARTS[format]) for (format, _), data in files.items())


def test_true_is_png_and_false_is_none():
    assert [figure_format(figures) for figures in (True, False, "none")] == ["png", None, None]


def test_a_format_that_is_none_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UnknownNameError, match=r"unknown format of figures 'gif'.*known: none, pdf, png, svg"):
        episode().save(tmp_path / "run", figures="gif")
    assert not (tmp_path / "run").exists()


def test_figures_of_the_former_format_go_when_a_run_is_replaced(tmp_path):
    episode().save(tmp_path)
    episode().save(tmp_path, figures="svg", force=True)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {f"{name}.svg" for name in FIGURES.names()}


def test_same_run_same_bytes_in_another_process_under_another_hash_seed(files):
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS],
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path), "SOURCE_DATE_EPOCH": "86400"},
        capture_output=True,
        text=True,
        check=True,
    )
    here = [f"{name} {format} {hashlib.sha256(data).hexdigest()}" for (format, name), data in files.items()]
    assert done.stdout.splitlines() == here


def test_fonts_of_a_pdf_are_type_42_and_it_bears_no_date(files):
    for data in of(files, "pdf"):
        fonts = set(re.findall(rb"/Subtype /(Type\w+|CIDFontType\w+|TrueType)", data))
        assert b"CIDFontType2" in fonts  # TrueType outlines, embedded whole glyph by glyph: what Type 42 is in a PDF
        assert b"Type3" not in fonts
        assert b"CreationDate" not in data


def test_text_of_an_svg_is_text_and_it_bears_no_date(files):
    for data in of(files, "svg"):
        assert data.count(b"<text") > 5
        assert b"dc:date" not in data


def test_a_picture_takes_its_format_from_its_name(tmp_path):
    for format in FORMATS:
        save_figure(Figure(), tmp_path / f"a.{format.upper()}", dpi=50)
        assert (tmp_path / f"a.{format.upper()}").read_bytes().startswith(STARTS[format])
    with pytest.raises(InputError, match=r"a\.gif: a picture ends in \.png, \.pdf, \.svg"):
        save_figure(Figure(), tmp_path / "a.gif", dpi=50)
