"""A person's own arrays: read as they are, or refused with the reason; the sets are those of `calibrate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glasshouse as gh
from glasshouse.families.conformal import calibrate
from glasshouse.families.conformal.own import Own
from glasshouse.schema.errors import BadValue

RNG = np.random.default_rng(5)
PROBS = RNG.dirichlet(np.ones(4), 120)
LABELS = np.array([RNG.choice(4, p=p) for p in PROBS])


def saved(folder: Path, **arrays: Any) -> str:
    path = folder / "mine.npz"
    np.savez(path, **arrays)
    return str(path)


def test_sets_are_those_of_calibrate(tmp_path: Path) -> None:
    file = saved(tmp_path, probs=PROBS.astype(np.float32), labels=LABELS)
    session = gh.open("conformal.lac", "own", file=file, share=0.7, shuffle=3)
    list(session.events())
    pool = Own(file=file, share=0.7, shuffle=3).open()
    assert (len(pool.calibration), len(pool.test)) == (84, 36)
    assert sorted([*pool.calibration, *pool.test]) == list(range(120))
    probs = PROBS.astype(np.float32)
    plain = calibrate(probs[pool.calibration], LABELS[pool.calibration], score="lac")
    sets = session.look(alpha=0.2)
    assert np.array_equal(sets.sets, plain.predict(probs[pool.test], alpha=0.2))


@pytest.mark.parametrize(("mark", "header"), [(",", "a,b,c,d,label\n"), (";", ""), (",", "")])
def test_a_table_is_read_with_and_without_a_header(tmp_path: Path, mark: str, header: str) -> None:
    path = tmp_path / "mine.csv"
    rows = [mark.join([*(repr(float(v)) for v in p), str(y)]) for p, y in zip(PROBS, LABELS, strict=True)]
    path.write_text(header + "\n".join(rows), "utf-8-sig" if header else "utf-8")
    pool = Own(file=str(path)).open()
    assert np.array_equal(pool.probs, PROBS)
    assert np.array_equal(pool.labels, LABELS)


def test_groups_and_images_come_along(tmp_path: Path) -> None:
    images = RNG.integers(0, 255, (120, 8, 8)).astype(np.uint8)
    file = saved(tmp_path, probs=PROBS, labels=LABELS, groups=LABELS % 2, images=images)
    pool = Own(file=file).open()
    assert pool.groups == ("group 0", "group 1")
    assert np.array_equal(pool.images, images)
    record = gh.run("conformal.mondrian", "own", file=file, by="group", alpha=0.2)
    assert record.guarantee.kind == "group"


@pytest.mark.parametrize(("arrays", "word"), [
    ({"labels": LABELS}, "probs"), ({"probs": PROBS}, "labels"), ({"probs": PROBS * 2, "labels": LABELS}, "sum"),
    ({"probs": PROBS, "labels": LABELS + 1}, "labels"), ({"probs": PROBS, "labels": LABELS[:5]}, "120"),
    ({"probs": PROBS, "labels": LABELS.astype(str)}, "labels"), ({"probs": PROBS[:1], "labels": LABELS[:1]}, "from 2 points"),
    ({"probs": PROBS, "labels": LABELS, "images": np.zeros((3, 8, 8), np.uint8)}, "images"),
    ({"probs": PROBS, "labels": LABELS, "groups": LABELS - 1}, "groups"),
    ({"probs": np.array([{"a": 1}], dtype=object), "labels": LABELS}, "cannot be read"),
])
def test_what_is_wrong_in_a_file_is_said_and_names_it(tmp_path: Path, arrays: dict[str, Any], word: str) -> None:
    with pytest.raises(BadValue, match=word) as error:
        Own(file=saved(tmp_path, **arrays)).open()
    assert error.value.argument == "file"
    assert "mine.npz" in str(error.value) or word == "from 2 points"


@pytest.mark.parametrize("text", ["", "1,2\n", "p,q,label\n.5,.5,x\n", ".5,.5,0.5\n.5,.5,1\n"])
def test_bad_tables_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(BadValue, match=r"bad\.csv") as error:
        Own(file=str(path)).open()
    assert error.value.argument == "file"


@pytest.mark.parametrize("file", ["", "nowhere.npz", "."])
def test_no_file_says_what_is_wanted(file: str) -> None:
    with pytest.raises(BadValue, match=r"probs \[N, K\]"):
        Own(file=file).open()


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    path.write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(BadValue, match="cannot be read"):
        Own(file=str(path)).open()


def test_damaged_and_swollen_files_are_refused_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = tmp_path / "array.npz"
    np.save(tmp_path / "array.npy", PROBS)
    (tmp_path / "array.npy").rename(array)
    empty = tmp_path / "empty.npz"
    empty.write_bytes(b"")
    good = Path(saved(tmp_path, probs=PROBS, labels=LABELS))
    torn = tmp_path / "torn.npz"
    np.savez_compressed(torn, probs=PROBS, labels=LABELS)
    bytes_ = bytearray(torn.read_bytes())
    bytes_[200:260] = b"x" * 60
    torn.write_bytes(bytes(bytes_))
    for path in (array, empty, torn):
        with pytest.raises(BadValue, match="cannot be read") as error:
            Own(file=str(path)).open()
        assert error.value.argument == "file"
    with pytest.raises(BadValue, match="probs"):
        Own(file="~nosuchuser/x.csv").open()
    monkeypatch.setattr("glasshouse.families.conformal.own.UNPACKED", 1000)
    with pytest.raises(BadValue, match="unpacks"):
        Own(file=str(good)).open()
