"""What is kept of a run: a table of its events, its summary, and everything needed to run it again."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from glasshouse.schema.errors import Unsupported, bad_value
from glasshouse.schema.guarantee import Guarantee

FORMAT = 1
Scalar = int | float | str | bool | None


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run.

    ``params``, ``problem["fields"]`` and ``looks`` are all knobs by name. ``columns`` has one entry per event of the most
    common kind (``event``; of equally common ones the latest), by field name; ``summary`` the run's own numbers under ``looks``.
    ``complete`` is False for a run recorded before its end. Names ending in ``seconds`` or ``per_second`` are measured times.
    """

    method: str
    params: Mapping[str, Any]
    problem: Mapping[str, Any]
    looks: Mapping[str, Any]
    seed: int
    versions: Mapping[str, str]
    guarantee: Guarantee
    event: str
    columns: Mapping[str, list[Scalar]]
    summary: Mapping[str, Scalar]
    complete: bool = True
    format: int = field(default=FORMAT)

    def same(self, other: RunRecord) -> bool:
        """Equal in everything but measured times and versions: what equal arguments and seeds promise. NaN equals NaN."""
        return self._timeless() == other._timeless()

    def to_json(self) -> str:
        """Strict JSON: in columns and summary NaN is null, infinities are the texts ``"Infinity"`` and ``"-Infinity"``."""
        return json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False)

    def to_dict(self) -> dict[str, Any]:
        """The content of :meth:`to_json`."""
        plain: dict[str, Any] = {f.name: jsonable(getattr(self, f.name)) for f in fields(self) if f.name != "guarantee"}
        return plain | {"guarantee": asdict(self.guarantee)}

    @classmethod
    def from_json(cls, text: str) -> RunRecord:
        """The inverse of :meth:`to_json`.

        Raises: BadValue for text that is not a record; Unsupported for one of a later format.
        """
        try:
            content = json.loads(text)
            version = content["format"]
            promise = content.pop("guarantee")
            content.pop("screen", None)         # what a lab adds to its export: how the run was looked at
            content["guarantee"] = Guarantee(**{**promise, "assumptions": tuple(promise["assumptions"])})
            content["columns"] = {name: _column(cells) for name, cells in content["columns"].items()}
            content["summary"] = {name: _column([cell])[0] for name, cell in content["summary"].items()}
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise bad_value("record", text, f"the JSON text of a RunRecord ({error})") from None
        if version != FORMAT:
            raise Unsupported(f"record format {version} is not supported: this version reads format {FORMAT}", "record")
        try:
            return cls(**content)
        except TypeError as error:
            raise bad_value("record", text, f"the JSON text of a RunRecord ({error})") from None

    def to_csv(self) -> str:
        """The columns as CSV with a header line."""
        return table_csv(self.columns)

    def to_pandas(self) -> Any:
        """The columns as a ``pandas.DataFrame``. Raises Unsupported where pandas is missing."""
        return frame(self.columns)

    def _timeless(self) -> str:
        plain = self.to_dict()
        del plain["versions"]
        for part in ("columns", "summary"):
            plain[part] = {name: cells for name, cells in plain[part].items() if not is_duration(name)}
        return json.dumps(plain, sort_keys=True)


def is_duration(name: str) -> bool:
    """Whether a column holds measured times, which no seed can repeat."""
    return name.endswith(("seconds", "per_second"))


def as_table(records: Sequence[RunRecord]) -> dict[str, list[Scalar]]:
    """Many records as one table: a row per record of method, problem, seed, knobs, looks and summary."""
    rows = [{"method": r.method, "problem": r.problem["name"], "seed": r.seed,
             **{name: _cell(value) for part in (r.params, r.problem["fields"], r.looks) for name, value in part.items()},
             **r.summary} for r in records]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def table_csv(columns: Mapping[str, Sequence[Scalar]]) -> str:
    """Columns as CSV (RFC 4180); None and NaN are empty cells."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in zip(*columns.values(), strict=True):
        writer.writerow(["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in row])
    return out.getvalue()


def frame(columns: Mapping[str, Sequence[Scalar]]) -> Any:
    """Columns as a ``pandas.DataFrame``."""
    try:
        import pandas
    except ImportError:
        raise Unsupported('pandas is not installed: pip install "glasshouse[tables]"', "pandas") from None
    return pandas.DataFrame(dict(columns))


def _cell(value: Any) -> Scalar:
    """A knob's value in one cell: a list as the command line writes it, ``2-2-1``."""
    return "-".join(map(str, value)) if isinstance(value, (tuple, list)) else value


def jsonable(value: Any) -> Any:
    """``value`` as strict JSON can say it: NaN is None, infinities are texts, NumPy scalars and tuples are plain."""
    if isinstance(value, Mapping):
        return {str(name): jsonable(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [jsonable(item) for item in value]
    if hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _column(cells: list[Scalar]) -> list[Scalar]:
    """NaN and infinities back, in a column that holds nothing but numbers."""
    special: dict[Scalar, float] = {None: math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    if not all(isinstance(cell, (int, float)) or cell in special for cell in cells):
        return cells
    return [special.get(cell, cell) if not isinstance(cell, (int, float)) else cell for cell in cells]
