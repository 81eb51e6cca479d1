"""Tables on the disk: the same as in memory, whoever reads them."""

import json
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flnft_sim.errors import InputError
from flnft_sim.results import RunResult, SpanLog
from flnft_sim.results.tables import COLUMNS, Stored, csv_of, to_csv, typed
from flnft_sim.results.tables.frames import plain
from flnft_sim.simulation import FlnftModel
from flnft_sim.simulation.motion import three_digits
from flnft_sim.spool import CHUNK, Spool
from tests.synthetic_episode import episode

CELLS = {
    "text": st.text(max_size=5) | st.sampled_from(["a,b", '"', "x\ny", "", "é"]) | st.none(),
    "integer": st.integers(-(2**62), 2**62) | st.none() | st.just(3.0),
    "number": st.floats() | st.integers(-9, 9) | st.none(),
    "flag": st.booleans() | st.none(),
}
COLUMN = {"text": "phase", "integer": "round", "number": "start_s", "flag": "won"}


@given(st.data(), st.sampled_from(sorted(CELLS)))
def test_plain_values_are_those_of_the_typed_column(data, kind):
    table, name = "bids" if kind == "flag" else "spans", COLUMN[kind]
    values = data.draw(st.lists(CELLS[kind], min_size=1, max_size=8))
    frame = typed(table, pd.DataFrame({name: pd.Series(values, dtype=object)}))
    assert "".join(csv_of([name], [{name: plain(table, name, values)}])) == frame.to_csv(
        index=False, lineterminator="\n"
    )
    assert to_csv(frame) == frame.to_csv(index=False, lineterminator="\n")


def test_a_value_of_another_type_is_refused():
    with pytest.raises(InputError, match="table spans, column round"):
        plain("spans", "round", [1, "two"])


@given(st.floats(0, 1e12))
def test_three_digits_are_what_is_printed(rate_bps):
    near = np.array([rate_bps, np.nextafter(rate_bps, np.inf), round(rate_bps) + 0.5, round(rate_bps, -3) + 500.0])
    assert three_digits(near).tolist() == [int(float(f"{each:.3g}")) for each in near]


def long_log(spool):
    log = SpanLog(spool=spool)
    for number in range(20 * CHUNK):
        details = {"of": number} if number % 3 else {}
        log.add(
            f"user-{number % 7}", "training", number, number + 1.5, round=number % 5 or None, dao="dao-0", **details
        )
        log.counter("dao-0", "loss", number, number / 3)
    return log


def test_a_log_on_the_disk_tells_what_one_in_memory_tells():
    spooled, held = long_log(Spool()), long_log(None)
    pd.testing.assert_frame_equal(spooled.to_frame(), held.to_frame())
    pd.testing.assert_frame_equal(spooled.to_frame(first=300), held.to_frame(first=300))
    pd.testing.assert_frame_equal(spooled.counters_frame(), held.counters_frame())
    assert spooled.since(5) == held.since(5) and spooled._spans.in_memory < 2 * CHUNK < held._spans.in_memory
    pd.testing.assert_frame_equal(spooled.table().whole("phase", "end_s"), held.to_frame()[["phase", "end_s"]])


def test_a_result_reads_its_tables_when_asked_and_pickles_them(tmp_path):
    log, made = long_log(Spool()), episode()
    told = {name: table for name, table in made.tables.items() if name != "spans"} | {"summary": made.summary}
    result = RunResult(**told, spans=log.table(), manifest=made.manifest, ledger_lines=made.ledger_lines)
    assert "spans" not in vars(result) and result.part("spans", "agent").columns.tolist() == ["agent"]
    again = pickle.loads(pickle.dumps(result))
    assert "spans" not in vars(result)
    result.save(tmp_path / "run", figures=False)
    assert "spans" not in vars(result)
    pd.testing.assert_frame_equal(result.spans, log.to_frame())
    assert result.spans is result.spans and result.tables["spans"] is result.spans
    pd.testing.assert_frame_equal(again.spans, result.spans)
    pd.testing.assert_frame_equal(RunResult.load(tmp_path / "run").spans, result.spans)
    with pytest.raises(AttributeError, match="no 'spam'"):
        result.spam  # noqa: B018


def test_an_empty_table_on_the_disk_has_its_columns():
    table = Stored("users", lambda: ())
    assert list(table.whole().columns) == list(COLUMNS["users"]) and table.whole("user").columns.tolist() == ["user"]


MARKET = {"market__auctions": 3, "learning__rounds": 3, "game__history_auctions": 0}


def held_by(model):
    """How many rows of each kind and blocks are in memory."""
    world = model.world
    tables = ("rounds", "users", "bids", "auctions")
    chains = (world.public_chain.chain, *(dao.ledger.chain for dao in model.daos))
    return {
        "spans": world.spans._spans.in_memory,
        "rates": world.cell.rate_log.rows().in_memory,
        "included": world.public_chain.included.in_memory,
        **{name: getattr(world.records, name).in_memory for name in tables},
        "blocks": max(chain.in_memory for chain in chains),
    }


@pytest.fixture(scope="module")
def small_chunks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flnft_sim.spool.CHUNK", 4)
        patch.setattr("flnft_sim.ledger.chain.KEPT", 4)
        yield


def market(spool, **fields):
    return FlnftModel("market", spool=spool, **(MARKET | fields))


def test_what_a_run_holds_does_not_grow_and_its_files_are_the_same(small_chunks, tmp_path):
    spooled, held = market(Spool()), market(None)
    for model, name in ((spooled, "spooled"), (held, "held")):
        model.run()
        result = model.result()
        result.manifest["wall_time_s"] = 1.0
        result.save(tmp_path / name, figures=False)
    assert max(held_by(spooled).values()) < 2 * 4
    assert min(held_by(held).values()) >= 2 * 4  # where all is kept, all of them are beyond it
    for path in (tmp_path / "held").iterdir():
        assert (tmp_path / "spooled" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_result_of_the_midst_of_a_run_stays_as_it_was(small_chunks):
    model = market(Spool(), market__auctions=2)
    model.advance(lambda: len(model.world.records.rounds) >= 20)
    early, lines = model.result(status="interrupted"), len(list(model.world.public_chain.chain.lines()()))
    at_once = pickle.loads(pickle.dumps(early))
    model.run()
    for name, table in early.tables.items():
        pd.testing.assert_frame_equal(table, at_once.tables[name])
    assert early.ledger_lines == at_once.ledger_lines
    public = [line for line in early.ledger_lines if json.loads(line)["chain"] == "public"]
    assert len(public) == lines < len(model.world.public_chain.chain)
