"""What goes to stdout, and the progress that goes to stderr."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from glasshouse.catalogue import MethodInfo
from glasshouse.cli.streams import out
from glasshouse.schema.record import RunRecord


def json_out(value: Any) -> None:
    """One strict JSON value on stdout."""
    out(json.dumps(value, allow_nan=False, ensure_ascii=False))


def listed(info: MethodInfo) -> dict[str, Any]:
    """A method in `list --json`."""
    return {"id": info.id, "title": info.title, "year": info.year, "arxiv": info.arxiv, "doi": info.doi, "family": info.family,
            "guarantee": dataclasses.asdict(info.guarantee)}


def table_out(columns: Mapping[str, Sequence[Any]]) -> None:
    """Columns of text under a header, widths by content, never folded: for eyes and for grep."""
    cells = [[name, *(_text(value) for value in values)] for name, values in columns.items()]
    widths = [max(map(len, column)) for column in cells]
    out("\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in zip(*cells, strict=True)))


def record_out(record: RunRecord) -> None:
    """A run for a person to read: what ran, its promise, its numbers."""
    width = max(map(len, record.summary), default=0)
    out("\n".join([
        f"{record.method} on {record.problem['name']}, seed {record.seed}, {len(next(iter(record.columns.values()), []))} "
        f"events of kind {record.event}",
        f"guarantee: {record.guarantee}: {record.guarantee.statement}",
        *(f"  {name.ljust(width)}  {_text(value)}" for name, value in record.summary.items())]))


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Callable[[Any], None]]:
    """A bar on stderr while it is a terminal, else nothing. Takes events, Progress, or how many are done."""
    from glasshouse.schema.events.base import Progress

    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda item: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(title, total=total)

        def told(item: Any) -> None:
            if isinstance(item, Progress):
                bars.update(task, completed=item.done, total=item.total, description=f"{title} {item.message}".strip())
            elif isinstance(item, int):
                bars.update(task, completed=item)
            else:
                bars.advance(task)

        yield told


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else " ".join(str(value).split())
