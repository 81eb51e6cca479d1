"""Cells of CSV: what Python's own writer writes, whoever tells the digits."""

import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.results.tables import cells

NUMBERS = (
    st.floats()
    | st.floats(-1e17, 1e17)
    | st.builds(math.ldexp, st.floats(0.5, 1.0), st.integers(-20, 60))
    | st.integers(-(2**60), 2**60).map(float)
    | st.sampled_from([1e-4, math.nextafter(1e-4, 0.0), 1e10, math.nextafter(1e10, 0.0), 1e16, 5e-324, -0.0])
)
COLUMNS = {
    "text": st.text(max_size=4) | st.sampled_from(["a,b", 'say "so"', " ", "\r", "é", "'", "0.5"]),
    "number": NUMBERS,
    "integer": st.integers() | st.none(),
    "flag": st.booleans() | st.none(),
}


@pytest.fixture(params=["by Arrow", "by repr"], autouse=True, scope="module")
def told(request):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "by repr":
            patch.setattr(cells, "pa", None)
        yield


@given(st.data())
def test_cells_are_those_of_pythons_writer(data):
    count = data.draw(st.integers(0, 6))
    columns = [data.draw(st.lists(COLUMNS[kind], min_size=count, max_size=count)) for kind in COLUMNS]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        ["" if value != value else value for value in row] for row in zip(*columns, strict=True)
    )
    rows = zip(*map(cells.cells_of, columns), strict=True)
    assert "".join(f"{','.join(row)}\n" for row in rows) == text.getvalue()
