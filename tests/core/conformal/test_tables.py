"""A table is read as the numbers that were written, however a program saves it; what could be read in two ways is refused."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glasshouse.families.conformal.own import Own
from glasshouse.families.conformal.tables import read_table
from glasshouse.schema.errors import BadValue


@given(rows=st.lists(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), min_size=2, max_size=5), mark=st.sampled_from(",;\t"),
       comma=st.booleans(), head=st.booleans(), end=st.sampled_from(["\n", "\r\n", "\r"]), code=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
       last=st.booleans())
def test_every_way_of_writing_reads_back(tmp_path_factory: pytest.TempPathFactory, rows: list[list[float]], mark: str, comma: bool, head: bool,
                                         end: str, code: str, last: bool) -> None:
    """Numbers always with a fraction, as probabilities are; a decimal comma between commas is quoted, as the csv module does."""
    cells = [[repr(v) if "." in repr(v) else f"{v:.17f}" for v in row] for row in rows]
    written = io.StringIO()
    writer = csv.writer(written, delimiter=mark, lineterminator=end)
    writer.writerows([["p 0", "p,1", "label"]] if head and mark != "," else [["p0", "p1", "label"]] if head else [])
    writer.writerows([cell.replace(".", ",") if comma else cell for cell in row] for row in cells)
    path = tmp_path_factory.mktemp("tables") / "t.csv"
    path.write_bytes((written.getvalue() if last else written.getvalue().removesuffix(end)).encode(code))
    assert np.array_equal(read_table(path), np.array([[float(cell) for cell in row] for row in cells]))


WRONG = {
    "": "first line is empty", "\n1,2\n": "first line is empty", "a,b\n": "no row", ".5,.5,1\n.5,,1\n": "line 2 has nothing in column 2",
    ".5,.5,1\n.5,.5\n": "line 2 has 2 columns, those before it 3", "p,q,y\n.5,.5,x\n": "line 2, column 3: 'x' is no number",
    ".5,NA,1\n.5,.5,1\n": "line 1 has nothing in column 2", "0,5;0.5;1\n": "one mark", "1.234,5;2;1\n": "one mark",
    "0,5,0,5,1\n0,25,0,75,0\n": "commas may be decimal", ".5;.5;1\n\n.5;.5;b\n": "line 3, column 3: 'b'",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=WRONG[text]):
        read_table(path)
    with pytest.raises(BadValue, match=r"t\.csv"):
        Own(file=str(path)).open()


def test_another_code_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("größe,b\n.5,.5\n".encode("latin-1"))
    with pytest.raises(ValueError, match="not UTF-8"):
        read_table(path)


@pytest.mark.parametrize("label", [0, 4])
def test_whole_numbers_between_commas_are_what_they_are(tmp_path: Path, label: int) -> None:
    """Sure predictions of 3 to 6 classes: no decimal comma is suspected."""
    for k in (3, 4, 5, 6):
        path = tmp_path / f"{k}.csv"
        rows = np.column_stack((np.eye(k)[[0, 1, 2]], [min(label, k - 1)] * 3)).astype(int)
        path.write_text("\n".join(",".join(map(str, row)) for row in rows))
        assert np.array_equal(read_table(path), rows)


def test_a_german_table_gives_the_same_pool(tmp_path: Path) -> None:
    (tmp_path / "en.csv").write_text("a,b,y\n0.25,0.75,1\n0.5,0.5,0\n1,0,0\n")
    (tmp_path / "de.csv").write_bytes("a;b;y\r\n0,25;0,75;1\r\n0,5;0,5;0\r\n1;0;0\r\n".encode("utf-8-sig"))
    one, two = (Own(file=str(tmp_path / name)).open() for name in ("en.csv", "de.csv"))
    assert np.array_equal(one.probs, two.probs)
    assert np.array_equal(one.labels, two.labels)
