"""Side-by-side timing: every contestant once per round, in one process, so that a drifting machine hits all alike."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[2] / "build" / "bench"


def race(contestants: Mapping[str, Callable[[], Any]], rounds: int = 7,
         clock: Callable[[], float] = time.perf_counter) -> dict[str, list[float]]:
    """Seconds per contestant and round by this clock, after one untimed warm-up of each."""
    for run in contestants.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for i in range(rounds):
        order = list(contestants) if i % 2 == 0 else list(reversed(contestants))
        for name in order:
            start = clock()
            contestants[name]()
            seconds[name].append(clock() - start)
    return seconds


def paired(a: list[float], b: list[float]) -> float:
    """Median over rounds of b / a: how many times faster a was than b, round by round."""
    return statistics.median(y / x for x, y in zip(a, b, strict=True))


def report(name: str, rows: list[dict[str, Any]]) -> None:
    """The table on the screen and as JSON under build/bench."""
    columns = list(rows[0])
    cells = [[f"{r[c]:.3f}" if isinstance(r[c], float) else str(r[c]) for c in columns] for r in rows]
    widths = [max(len(c), *(len(row[i]) for row in cells)) for i, c in enumerate(columns)]
    print(f"\n{name}")
    for row in [columns, *cells]:
        print("  " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)))
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(rows, indent=1), "utf-8")
