"""Files sent in pieces: whole or refused, within a folder that goes with the lab."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glasshouse.schema.errors import BadValue
from glasshouse_widgets.labs import uploads
from glasshouse_widgets.labs.conformal import ConformalLab
from glasshouse_widgets.labs.uploads import Uploads
from glasshouse_widgets.renderers.wire import handle


@pytest.fixture
def mine() -> bytes:
    rng = np.random.default_rng(2)
    probs = rng.dirichlet(np.ones(3), 90)
    file = io.BytesIO()
    np.savez(file, probs=probs, labels=rng.integers(3, size=90))
    return file.getvalue()


def test_pieces_make_the_file_and_close_deletes_it() -> None:
    up, data = Uploads(), bytes(range(250))
    assert up.take("a.csv", 0, 250, data[:100]) is None
    assert up.take("a.csv", 100, 250, data[100:200]) is None
    path = up.take("a.csv", 200, 250, data[200:])
    assert path is not None
    assert path.read_bytes() == data
    again = up.take("a.csv", 0, 3, b"new")                      # the same name once more: from the start
    assert again is not None
    assert again != path                                        # or the knob would not move
    assert again.read_bytes() == b"new"
    assert not path.exists()
    up.close()
    assert not again.parent.parent.exists()


@pytest.mark.parametrize(("name", "at", "size", "piece"), [
    ("a.exe", 0, 3, b"abc"), ("a", 0, 3, b"abc"), (".csv", 0, 3, b"abc"), ("a.csv", 0, 0, b""), ("a.csv", 0, uploads.LARGEST + 1, b"abc"),
    ("a.csv", 5, 9, b"abcd"), ("a.csv", 0, 2, b"abc"), ("a.csv", -1, 9, b"abc")])
def test_what_cannot_be_taken_is_refused(name: str, at: int, size: int, piece: bytes) -> None:
    up = Uploads()
    with pytest.raises(BadValue) as error:
        up.take(name, at, size, piece)
    assert error.value.argument == "file"
    up.close()


def test_a_name_cannot_leave_the_folder() -> None:
    up = Uploads()
    first = up.take("../../etc/x.csv", 0, 1, b"x")
    second = up.take("C:\\windows\\y.csv", 0, 1, b"y")
    assert first is not None
    assert second is not None
    assert {first.name, second.name} == {"x.csv", "y.csv"}
    assert first.parent.parent == second.parent.parent
    up.close()


def send(lab: ConformalLab, name: str, data: bytes, piece: int = 400) -> None:
    for at in range(0, len(data), piece):
        handle(lab, {"do": "upload", "key": "file", "name": name, "at": at, "size": len(data),
                     "data": base64.b64encode(data[at:at + piece]).decode()})


def test_an_uploaded_file_is_computed_on_and_never_in_a_link(mine: bytes) -> None:
    lab = ConformalLab(problem="own")
    lab.wait()
    assert lab.message.knob == "file"                           # nothing chosen yet: it says what is wanted
    send(lab, "mine.npz", mine)
    assert lab.wait()
    assert lab.message is None
    event: Any = lab.sides[0].event
    assert event.calibrated.n == event.calibrated.m == 45
    path = Path(lab.values["file"])
    assert path.is_file()
    assert "mine" not in lab.link()
    assert str(path.parent) not in lab.export_html().text
    lab.close()
    assert not path.exists()


def test_a_bad_file_leaves_the_last_picture_and_says_why(mine: bytes) -> None:
    lab = ConformalLab(problem="own")
    lab.wait()
    send(lab, "mine.npz", mine)
    assert lab.wait()
    before = lab.figures
    send(lab, "other.npz", b"PK not really")
    assert lab.wait()
    assert lab.message.knob == "file"
    assert "cannot be read" in lab.message.text
    assert lab.figures["sets"] == before["sets"]
    send(lab, "mine.txt", mine)
    assert ".npz or .csv" in lab.message.text
    lab.close()


def test_in_a_workshop_nothing_is_taken(mine: bytes) -> None:
    lab = ConformalLab(own=False)
    assert "own" not in lab.problems
    lab.wait()
    send(lab, "mine.npz", mine)
    assert lab.uploads._folder is None
    lab.close()


@pytest.mark.parametrize("said", [{"at": True}, {"at": "0"}, {"size": 1.5}, {"data": 3}, {"data": "no base64!"}, {"key": "alpha"}, {"key": "method"}])
def test_messages_that_make_no_sense_change_nothing(said: dict[str, Any]) -> None:
    lab = ConformalLab(problem="own")
    handle(lab, {"do": "upload", "key": "file", "name": "a.csv", "at": 0, "size": 3, "data": "YWJj"} | said)
    assert lab.values["file"] == ""
    lab.close()


def test_a_mended_file_of_the_same_name_is_taken(mine: bytes) -> None:
    lab = ConformalLab(problem="own")
    lab.wait()
    for points in (60, 90):
        file = io.BytesIO()
        rng = np.random.default_rng(points)
        np.savez(file, probs=rng.dirichlet(np.ones(3), points), labels=rng.integers(3, size=points))
        send(lab, "mine.npz", file.getvalue())
        assert lab.wait()
        event: Any = lab.sides[0].event
        assert event.calibrated.n == points // 2
    lab.close()
