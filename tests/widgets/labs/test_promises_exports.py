"""A law over all labs: what is exported is what is on the screen: every number of the readout, every look, and what the stage shows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from glasshouse.schema.record import RunRecord
from glasshouse_widgets import labs
from glasshouse_widgets.figures.conformal.rules import CLASS, SCALE
from glasshouse_widgets.labs import exports
from glasshouse_widgets.labs.base import Lab, Reading
from glasshouse_widgets.renderers.arrays import encode
from rested import at_rest, moved_about

LABS = labs.found()
Table = dict[str, list[str]]


@pytest.fixture(scope="module", params=list(LABS))
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    with at_rest(LABS[request.param](problem="tiny")) as made:
        moved_about(made, 3)
        made.message = None
        yield made


def read(lab: Lab) -> Table:
    rows = list(csv.DictReader(io.StringIO(lab.export_data("csv").text)))
    assert rows
    return {name: [row[name] for row in rows] for name in rows[0]}


def column(table: Table, name: str) -> Any:
    return np.array([float({"True": "1", "False": "0", "": "nan"}.get(cell, cell)) for cell in table[name]])


def name_of(reading: Reading) -> str:
    return f"{reading.label} [{reading.unit}]" if reading.unit else reading.label


def test_every_number_of_the_readout_and_every_look_is_in_the_table(lab: Lab) -> None:
    table = read(lab)
    assert set(table["method"]) == {lab.method}
    assert set(table["seed"]) == {str(lab.seed)}
    for reading in lab.readout:
        said = {name: cells for name, cells in table.items() if name.removesuffix(" (2)") == name_of(reading)}
        shown = exports.value(reading)
        assert any(set(cells) == {"" if shown is None else str(shown)} for cells in said.values()), reading
    for name, value in {**lab.looks.values(), **(lab.dial.values() if lab.dial else {})}.items():
        assert set(table[name]) == {"" if value is None else str(value)}, name


def test_json_says_the_same_and_is_a_record_too(lab: Lab) -> None:
    said = json.loads(lab.export_data("json").text)
    screen = said["screen"]
    assert screen["state"] == json.loads(json.dumps(lab.state()))
    assert [(r["label"], r["value"]) for r in screen["readout"]] == [(r.label, exports.value(r)) for r in lab.readout]
    assert screen["looks"].items() >= encode(lab.looks.values()).items()
    assert list(screen["table"]) == list(read(lab))
    assert RunRecord.from_json(json.dumps(said)).method == lab.method


def share(cells: Any) -> float:
    return 100 * float(np.mean(cells))


# What the readout says, counted again from the exported table alone.
COUNTED: dict[str, Callable[[Table], dict[str, float]]] = {
    "conformal": lambda t: {"held the truth": share(column(t, "holds_truth")), "labels in a set": column(t, "labels_in_set").mean(),
                            "empty sets": share([cell == "" for cell in t["set"]])},
    "conformal-intervals": lambda t: {
        "held the truth": share((column(t, "lower") <= column(t, "truth")) & (column(t, "truth") <= column(t, "upper"))),
        "mean width": np.maximum(column(t, "upper") - column(t, "lower"), 0).mean()},
    "conformal-decisions": lambda t: {
        "answered": share([cell != "" for cell in t["said"]]),
        "wrong answers": share([label not in said.split() for label, said in zip(t["true_label"], t["said"], strict=True) if said])},
    "conformal-drift": lambda t: {"held so far": share(1 - column(t, "missed")[column(t, "passed") > 0])},
    "conformal-robust": lambda t: {
        "robust hold": share([label in said.split() for label, said in zip(t["true_label"], t["robust_set"], strict=True)]),
        "ordinary hold": share([label in said.split() for label, said in zip(t["true_label"], t["ordinary_set"], strict=True)])}}
# Where the readout cannot be counted from it: a column whose values the stage draws, as numbers or as words.
DRAWN = {"conformal-knowing": "probability", "conformal-batch": "error", "conformal-rules": "after_rules", "certification": "lead_over",
         "conformal-code": "text", "decoding": "token", "conformal-risk": "set"}


def test_the_table_is_what_the_screen_shows(lab: Lab) -> None:
    table = read(lab)
    shown = {r.label: exports.value(r) for r in lab.readout}
    counted = COUNTED.get(lab.page(), lambda t: {})(table)
    for label, number in counted.items():
        said = shown[label]
        if said is None or not np.isfinite(number):
            assert (said in (None, "∞"), np.isfinite(number)) == (True, False), label
        else:
            assert isinstance(said, (int, float))
            assert number == pytest.approx(said, abs=0.0501), label
    assert counted or lab.page() in DRAWN


def test_a_column_is_drawn(lab: Lab) -> None:
    if lab.page() not in DRAWN:
        return
    table, name = read(lab), DRAWN[lab.page()]
    cells = table[name if name in table else next(n for n in table if n.startswith(name))]
    if name == "after_rules":               # drawn on a scale of its own, digit by digit
        cells = [str(CLASS + SCALE * float(cell)) for cell, what in zip(cells, table["of"], strict=True) if what.isdigit()]
    stage = next(lab.figures[slot.name] for slot in lab.slots if slot.place == "stage")
    numbers, words = drawn(stage)
    for cell in cells:
        try:
            at = float(cell)
        except ValueError:
            assert all(word in words for word in cell.split() if word.isalnum()), cell
        else:
            close = np.min(np.abs(numbers - at)) if numbers.size else np.inf
            assert close < 1e-5 * max(1, abs(at)) or cell in words, cell


def drawn(figure: dict[str, Any]) -> tuple[Any, str]:
    """Every number that a figure places, in per cent too, and all its words."""
    numbers: list[float] = []
    words: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for item in value.values():
                walk(item)
        elif isinstance(value, (list, tuple)):
            for item in value:
                walk(item)
        elif isinstance(value, np.ndarray):
            walk(value.tolist())
        elif isinstance(value, str):
            words.append(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value):
            numbers.extend((float(value), float(value) / 100))

    walk(figure["data"])
    walk(figure["layout"].get("annotations", []))
    return np.array(numbers), " ".join(words)


def test_both_methods_of_a_comparison_are_in_the_table() -> None:
    with at_rest(LABS["conformal"](problem="tiny", compare="conformal.aps")) as lab:
        table = read(lab)
        assert list(dict.fromkeys(table["method"])) == ["conformal.lac", "conformal.aps"]
        for k, method in enumerate(("conformal.lac", "conformal.aps")):
            held = [h for h, m in zip(column(table, "holds_truth"), table["method"], strict=True) if m == method]
            said = next(r for r in lab.readout if r.label == "held the truth")
            assert share(held) == pytest.approx(float(said.other if k else said.value), abs=0.0501)


@pytest.mark.parametrize("name", list(LABS))
def test_no_column_has_the_name_of_a_look(name: str) -> None:
    with at_rest(LABS[name](problem="tiny")) as lab:
        columns = lab.table(lab._seen[0])
        assert not {"method", "problem", "seed", *lab.looks.fields, *(lab.dial.fields if lab.dial else ())} & set(columns)
        assert len({len(cells) for cells in columns.values()}) == 1
