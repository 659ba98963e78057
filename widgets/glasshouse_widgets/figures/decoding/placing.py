"""Where a round's tree stands on the stage: columns by depth, chips by the width of their words, curved edges.

Widths in pixels hold for a stage of ``WIDTH`` x ``Extent.height``; on a larger one chips only gain air.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from glasshouse.schema.events.decoding import Round
from glasshouse_widgets.figures.decoding.words import Columns, walked
from glasshouse_widgets.figures.tidy import rows
from glasshouse_widgets.figures.tokens import across

WIDTH, HEIGHT = 660.0, 342.0                    # px: plotting area
LETTER, PAD, GAP = 7.3, 9.0, 12.0               # px: one monospaced letter; inside a chip; between columns
FEWEST_ROWS = 11.0
EASY = 60.0                                     # px of a column that words fit into
LABELS_UP_TO = 40                               # nodes; above, words only where the eye follows

Line = tuple[list[float | None], list[float | None]]


@dataclass(frozen=True)
class Extent:
    """How much room trees need: ``columns`` is the deepest depth with a mark, the star included; ``height`` in px."""

    columns: int = 4
    rows: float = FEWEST_ROWS
    height: float = HEIGHT

    def joined(self, other: Extent) -> Extent:
        return replace(self, columns=max(self.columns, other.columns), rows=max(self.rows, other.rows))

    @property
    def eased(self) -> Extent:
        """No more columns than leave words their room: what a run's rounds share. A deeper round spreads over its own."""
        return replace(self, columns=min(self.columns, max(4, int((WIDTH - self.ribbon) / EASY - 0.8))))

    @property
    def ribbon(self) -> float:
        """px for the end of the text so far."""
        return 0.18 * WIDTH

    @property
    def px_column(self) -> float:
        return (WIDTH - self.ribbon) / (self.columns + 0.8)

    @property
    def px_row(self) -> float:
        return self.height / self.rows


@dataclass(frozen=True)
class Places:
    """Rows of the n nodes and, last, of the star; parents and depths likewise."""

    row: tuple[float, ...]
    parent: tuple[int, ...]
    depth: tuple[int, ...]

    @property
    def extent(self) -> Extent:
        return Extent(max(4, max(self.depth)), max(FEWEST_ROWS, max(self.row) + 1))


def places(event: Round, columns: Columns) -> Places:
    """The star, or the text's end, is the last child of the last node that became text."""
    last = walked(event)[-1]
    parent = (*columns.parent, last)
    depth = (*columns.depth, columns.depth[last] + 1)
    row = rows(parent, (*columns.rank, len(parent)))
    if max(row) < 3 and max(depth) > 5:         # a long chain: its columns stand apart, so that words fit
        row = [r + 1.7 * (d % 2) for r, d in zip(row, depth, strict=True)]
    return Places(tuple(row), parent, depth)


def extent(event: Round) -> Extent:
    """The room this round's tree needs; join them over a run so that axes do not jump between rounds."""
    return places(event, Columns.of(event)).extent if len(event.token) else Extent()


@dataclass(frozen=True)
class Chips:
    """Words and outline of every mark: ``label`` is empty where a chip carries no words; ``right`` in columns."""

    label: tuple[str, ...]
    right: tuple[float, ...]
    half: tuple[float, ...]     # half height, in rows


def letters(at: Places, room: Extent) -> list[int]:
    """How many letters fit each chip: one column's worth, two where the next column is free beside it; 0 where chips would overlap."""
    columns: dict[int, list[float]] = {}
    for d, r in zip(at.depth, at.row, strict=True):
        columns.setdefault(d, []).append(r)
    found = []
    for d, r in zip(at.depth, at.row, strict=True):
        free = all(abs(r - other) >= 0.95 for other in columns.get(d + 1, ()))
        wide = min(2.0, room.columns + 0.9 - d) if free else 1.0
        most = int((room.px_column * wide - GAP - 2 * PAD - 3) / LETTER)
        found.append(most if most > 1 else 0)
    return found


def chips(labels: Sequence[str], at: Places, room: Extent) -> Chips:
    star = len(labels) - 1
    right = tuple(d + (PAD + (9 if i == star else 3) + LETTER * across(s) if s else PAD + 5) / room.px_column
                  for i, (s, d) in enumerate(zip(labels, at.depth, strict=True)))
    worded, plain = min(0.46, 11 / room.px_row), min(0.40, 8 / room.px_row)
    half = tuple(max(worded, 8.5 / room.px_row) if s else plain for s in labels)
    return Chips(tuple(labels), right, half)


def rounded(x0: float, x1: float, y: float, half: float, room: Extent) -> Line:
    """A closed rounded rectangle, ending in a break."""
    rx = min(5 / room.px_column, (x1 - x0) / 2)
    ry = min(5 / room.px_row, half)
    k = 0.3                                     # where a quarter circle crosses its diagonal, from the corner
    xs: list[float | None] = [x0 + rx, x1 - rx, x1 - k * rx, x1, x1, x1 - k * rx, x1 - rx, x0 + rx, x0 + k * rx, x0, x0,
                              x0 + k * rx, x0 + rx, None]
    t, b = y - half, y + half
    ys: list[float | None] = [t, t, t + k * ry, t + ry, b - ry, b - k * ry, b, b, b - k * ry, b - ry, t + ry,
                              t + k * ry, t, None]
    return xs, ys


_STEPS = tuple(i / 9 for i in range(10))
_EASE = tuple(3 * t * t - 2 * t * t * t for t in _STEPS)


def edge(child: int, at: Places, drawn: Chips, room: Extent) -> Line:
    """A smooth curve from the parent's chip to the child's mark, ending in a break."""
    parent = at.parent[child]
    x1 = at.depth[child] - PAD / room.px_column
    x0 = min(drawn.right[parent], x1 - 0.6 * GAP / room.px_column)
    y0, y1 = at.row[parent], at.row[child]
    return ([*(x0 + (x1 - x0) * t for t in _STEPS), None], [*(y0 + (y1 - y0) * e for e in _EASE), None])
