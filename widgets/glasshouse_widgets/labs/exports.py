"""What is on the screen as a table and as JSON: the stage's own rows, with the looks and the numbers that were read beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from glasshouse.schema.record import Scalar, jsonable, table_csv
from glasshouse_widgets.labs.parts import Reading, Shown

if TYPE_CHECKING:
    from glasshouse_widgets.labs.base import Lab

Columns = dict[str, list[Scalar]]


def csv(lab: Lab, seen: Sequence[Shown]) -> str:
    """One table for any program: every row carries its method, where one looks and what is read there, then what the stage shows."""
    return table_csv(table(lab, seen))


def table(lab: Lab, seen: Sequence[Shown]) -> Columns:
    """The columns of :func:`csv`; a compared method's rows follow the first's."""
    parts = [_beside(lab, shown) for shown in seen]
    names = list(dict.fromkeys(name for columns in parts for name in columns))
    lengths = [len(columns["method"]) for columns in parts]
    return {name: [cell for columns, n in zip(parts, lengths, strict=True) for cell in columns.get(name, [None] * n)] for name in names}


def to_json(lab: Lab, seen: Sequence[Shown]) -> str:
    """The run's record, and under ``screen`` its state, the numbers and the table."""
    session = lab.sides[0].session
    record = session.record(**lab.looks.values()).to_dict() if session is not None else {}
    readout = [{"method": shown.info.id, **number} for shown in seen for number in map(_number, lab.read(shown))]
    screen = {"state": lab.state(), "looks": looks(seen[0]), "readout": readout, "table": table(lab, seen)}
    return json.dumps(record | {"screen": jsonable(screen)}, allow_nan=False, ensure_ascii=False)


def looks(shown: Shown) -> dict[str, Any]:
    return {name: "-".join(map(str, v)) if isinstance(v, tuple) else v for name, v in shown.looks.items()}


def events(shown: Shown) -> Mapping[str, Iterable[Any]]:
    """A row per event so far, of the kind that came last."""
    rows = [event.row() for event in shown.computed if type(event) is type(shown.computed[-1])]
    return {name: [row[name] for row in rows] for name in rows[0]}


def listed(sets: Any) -> list[str]:
    """Sets of labels, bool [m, K], as text like ``3 5``."""
    return [" ".join(map(str, np.flatnonzero(row))) for row in np.asarray(sets, bool)]


def value(reading: Reading) -> Scalar:
    """The number as it is read; text where it is none, None for a dash."""
    text = reading.value.strip()
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return None if text in ("–", "") else text


def _number(reading: Reading) -> dict[str, Any]:
    return {"label": reading.label, "value": value(reading), "unit": reading.unit}


def _beside(lab: Lab, shown: Shown) -> Columns:
    rows = {name: _plain(values) for name, values in lab.table(shown).items()}
    n = len(next(iter(rows.values())))
    constant: dict[str, Scalar] = {"method": shown.info.id, "problem": lab.problem, "seed": lab.seed, **looks(shown)}
    for reading in lab.read(shown):
        name = f"{reading.label} [{reading.unit}]" if reading.unit else reading.label
        while name in constant:                 # two numbers of one name
            name += " (2)"
        constant[name] = value(reading)
    return {name: [cell] * n for name, cell in constant.items()} | rows


def _plain(values: Iterable[Any]) -> list[Scalar]:
    return values.tolist() if isinstance(values, np.ndarray) else [v.item() if isinstance(v, np.generic) else v for v in values]
