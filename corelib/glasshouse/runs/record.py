"""From a run to its record, and from records to files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glasshouse.runs.session import open
from glasshouse.schema import place
from glasshouse.schema.errors import Unsupported, bad_value
from glasshouse.schema.record import RunRecord, Scalar, as_table, frame, table_csv

SUFFIXES = (".json", ".csv", ".parquet")


def run(id: str, problem: Any = None, seed: int = 0, **values: Any) -> RunRecord:
    """Runs method ``id`` to its end. Arguments and errors as for :func:`glasshouse.runs.open`."""
    session = open(id, problem, seed, **values)
    for _ in session.events():
        pass
    return session.record()


def destination(path: str | Path) -> Path:
    """``path``, if records can be saved there: checked before any work.

    Raises: BadValue for an unknown suffix and as :func:`place.new_file`; Unsupported for Parquet without its extra.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise bad_value("out", str(path), f"a file name ending in {', '.join(SUFFIXES)}")
    if Path(path).suffix.lower() == ".parquet":
        _need_parquet(str(path))
    place.new_file(path)
    return Path(path)


def save(records: RunRecord | Sequence[RunRecord], path: str | Path) -> Path:
    """Writes one record, or a sweep's, by the suffix of ``path``.

    JSON holds all of it. CSV and Parquet hold a table: a run's columns, or a row per record of a sweep. The file is there whole or not.
    """
    chosen = destination(path)
    with place.whole(chosen.resolve()) as part:
        _write(records, part, chosen.suffix.lower())
    return chosen


def _write(records: RunRecord | Sequence[RunRecord], file: Path, suffix: str) -> None:
    single = isinstance(records, RunRecord)
    columns: Mapping[str, Sequence[Scalar]] = records.columns if isinstance(records, RunRecord) else as_table(records)
    if suffix == ".json":
        whole = records.to_dict() if isinstance(records, RunRecord) else [r.to_dict() for r in records]
        file.write_text(json.dumps(whole, allow_nan=False, ensure_ascii=False, indent=None if single else 1) + "\n", "utf-8")
    elif suffix == ".csv":
        file.write_text(table_csv(columns), "utf-8", newline="")
    else:
        frame(columns).to_parquet(file)


def _need_parquet(path: str) -> None:
    from importlib.util import find_spec

    if find_spec("pandas") is None or find_spec("pyarrow") is None:
        raise Unsupported(f'out = {path!r}: Parquet needs more than is installed: pip install "glasshouse[tables]"', "out")
