from __future__ import annotations

import json
import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.schema.errors import BadValue, Unsupported
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.record import FORMAT, RunRecord, as_table, is_duration, table_csv


def _record(**changes: Any) -> RunRecord:
    whole: dict[str, Any] = {
        "method": "toy.count", "params": {"by": 1, "shape": (2, 2, 1), "name": None}, "problem": {"name": "tiny", "fields": {"steps": 3}},
        "looks": {"index": -1}, "seed": 0, "versions": {"glasshouse": "0.1.0"}, "event": "Step",
        "guarantee": Guarantee("exact", "Counts.", level=0.5, assumptions=("a", "b"), scope="here"),
        "columns": {"i": [0, 1], "x": [0.5, 1.5], "word": ["a", "NaN"], "seconds": [0.1, 0.2]},
        "summary": {"total": 1.5, "seconds": 0.3, "tokens_per_second": 9.0, "kind": "x"}}
    return RunRecord(**{**whole, **changes})


def _with(name: str, cells: list[Any]) -> RunRecord:
    return _record(columns={name: cells}, summary={name: cells[0]})


def test_json_round_trip() -> None:
    record = _record(params={"by": 1, "shape": [2, 2, 1], "name": None})
    again = RunRecord.from_json(record.to_json())
    assert again == record
    assert json.loads(record.to_json())["format"] == FORMAT


def test_json_is_strict_and_brings_back_what_is_no_number() -> None:
    record = _with("x", [math.nan, math.inf, -math.inf, 1.0])
    content = json.loads(record.to_json(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert content["columns"]["x"] == [None, "Infinity", "-Infinity", 1.0]
    back = RunRecord.from_json(record.to_json())
    assert math.isnan(back.columns["x"][0])  # type: ignore[arg-type]
    assert back.columns["x"][1:] == [math.inf, -math.inf, 1.0]
    assert back.same(record)


def test_words_that_look_like_numbers_stay_words() -> None:
    assert RunRecord.from_json(_with("word", ["Infinity", "a"]).to_json()).columns["word"] == ["Infinity", "a"]


@given(st.lists(st.one_of(st.floats(), st.integers(-(2**60), 2**60), st.booleans()), min_size=1))
def test_any_numbers_come_back(cells: list[Any]) -> None:
    record = _with("x", cells)
    assert RunRecord.from_json(record.to_json()).same(record)


@given(st.lists(st.text(), min_size=2))
def test_any_text_comes_back_in_json_and_stands_in_csv(cells: list[str]) -> None:
    import csv
    import io

    record = _with("word", ["no number", *cells])
    assert RunRecord.from_json(record.to_json()).columns == record.columns
    rows = list(csv.reader(io.StringIO(table_csv({"i": list(range(len(cells))), "word": cells}), newline="")))
    assert [row[1] for row in rows[1:]] == cells


def test_times_and_versions_do_not_count() -> None:
    record = _record()
    other = _record(versions={"glasshouse": "9"}, columns={**record.columns, "seconds": [7.0, 8.0]},
                    summary={**record.summary, "seconds": 1.0, "tokens_per_second": 1.0})
    assert record.same(other)
    for changes in ({"seed": 1}, {"columns": {**record.columns, "x": [0.5, 1.6]}}, {"summary": {**record.summary, "total": 2}},
                    {"params": {}}, {"guarantee": Guarantee("none", "")}, {"complete": False}, {"looks": {"index": 0}}):
        assert not record.same(_record(**changes))
    assert [is_duration(n) for n in ("seconds", "draft_seconds", "tokens_per_second", "second", "tokens")] == [True, True, True, False, False]


def test_csv_and_pandas() -> None:
    record = _with("x", [math.nan, 1.5, math.inf])
    assert table_csv({"i": [0, 1, 2], **record.columns}) == "i,x\r\n0,\r\n1,1.5\r\n2,inf\r\n"
    assert _record().to_csv().splitlines()[0] == "i,x,word,seconds"
    pandas = pytest.importorskip("pandas")
    assert record.to_pandas().equals(pandas.DataFrame({"x": [math.nan, 1.5, math.inf]}))


def test_pandas_missing_names_the_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(Unsupported, match=r"glasshouse\[tables\]"):
        _record().to_pandas()


def test_a_table_of_many() -> None:
    table = as_table([_record(), _record(seed=1, summary={"total": 2.0, "more": 1})])
    assert table["seed"] == [0, 1]
    assert table["shape"] == ["2-2-1", "2-2-1"]
    assert table["total"] == [1.5, 2.0]
    assert table["more"] == [None, 1]
    assert table["steps"] == [3, 3]
    assert table_csv({"a": [1], "b": [None]}) == "a,b\r\n1,\r\n"


@pytest.mark.parametrize("text", ["", "[]", "null", "3", "{}", "{", '{"format": 1}', '{"format": 1, "guarantee": 3}'])
def test_what_is_no_record(text: str) -> None:
    with pytest.raises(BadValue, match="record"):
        RunRecord.from_json(text)


def test_a_later_format_and_a_stray_field() -> None:
    content = json.loads(_record().to_json())
    with pytest.raises(Unsupported, match="format 99"):
        RunRecord.from_json(json.dumps({**content, "format": 99}))
    with pytest.raises(BadValue, match="stray"):
        RunRecord.from_json(json.dumps({**content, "stray": 1}))


def test_records_travel_between_processes() -> None:
    assert pickle.loads(pickle.dumps(_record())) == _record()
