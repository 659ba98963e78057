"""Which scores a label is compared with: all, those of its class, of its cluster, or of its point's group.

A *cell* has calibration scores of its own. Coverage holds within every cell, at the price of fewer points for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from glasshouse.families.conformal.ranks import Ranks, rank

Kind = Literal["all", "group", "class", "cluster"]


@dataclass(frozen=True, eq=False)
class Cells:
    """Calibration scores by cell. ``scores``: one ascending float64 array a cell, possibly empty.

    ``kind``: one cell for all, cells of points ("group"), a cell a class, or cells of several classes ("cluster"); ``of_class`` int64 [K]
    then says each label's. ``names``: what each is called; ``told``: what was found on the way to them, for a method's views. ``rare``: the
    last cell is that of labels with too few points for one of their own: it holds the scores of all, and promises nothing of its own.
    """

    scores: tuple[np.ndarray, ...]
    kind: Kind = "all"
    of_class: np.ndarray | None = None
    names: tuple[str, ...] = ("all",)
    told: Mapping[str, np.ndarray] = field(default_factory=dict)
    rare: bool = False

    @property
    def n(self) -> np.ndarray:
        """Calibration points a cell, int64 [cells]."""
        return np.array([len(s) for s in self.scores], np.int64)

    def rank(self, scores: np.ndarray, of_point: np.ndarray | None = None) -> Ranks:
        """Ranks ``scores`` [m, K], each label in its own cell. ``of_point`` int64 [m]: the cell of each point, where cells belong to points.

        In an empty cell every rank is 0 and every threshold infinite: the label stays in the set.
        """
        if self.kind == "all":
            return rank(self.scores[0], scores)
        found = np.zeros(scores.shape, np.min_scalar_type(int(self.n.max(initial=0)) + 1))
        cell = (self.of_class[None, :] if self.of_class is not None else np.asarray(of_point)[:, None])
        for number, known in enumerate(self.scores):
            at = (slice(None), cell[0] == number) if self.of_class is not None else (cell[:, 0] == number, slice(None))
            found[at] = rank(known, scores[at]).ranks
        return Ranks(found, self.n, cell)

    def curve(self) -> Mapping[str, np.ndarray]:
        """alpha -> S_(k) of the first cell at its steps, alpha = 1 - k / (n + 1), ascending."""
        n = len(self.scores[0])
        return {"alpha": 1.0 - np.arange(n, 0, -1) / (n + 1), "threshold": self.scores[0][::-1]}


def pooled(scores: np.ndarray) -> Cells:
    """One cell for all."""
    return Cells((np.sort(scores),))


def by_point(scores: np.ndarray, group: np.ndarray, groups: int) -> Cells:
    """A cell for each of the ``groups`` of points; ``group`` int64 [n]."""
    return Cells(_sorted_by(scores, group, groups), "group", names=tuple(map(str, range(groups))))


def by_class(scores: np.ndarray, labels: np.ndarray, of_class: np.ndarray) -> Cells:
    """A cell for each group of classes; ``of_class`` int64 [K] numbers them from 0."""
    cell, cells = of_class[labels], int(of_class.max(initial=-1)) + 1
    if cells == len(of_class):
        return Cells(_sorted_by(scores, cell, cells), "class", of_class, tuple(map(str, np.argsort(of_class).tolist())))
    names = tuple(", ".join(map(str, np.flatnonzero(of_class == c).tolist())) for c in range(cells))
    return Cells(_sorted_by(scores, cell, cells), "cluster", of_class, names)


def _sorted_by(scores: np.ndarray, cell: np.ndarray, cells: int) -> tuple[np.ndarray, ...]:
    """The ascending ``scores`` of each cell."""
    order = np.argsort(scores)
    where = cell[order].astype(np.min_scalar_type(cells))       # of 16 bits: sorted by counting
    order = order[np.argsort(where, kind="stable")]
    ends, ordered = np.cumsum(np.bincount(cell, minlength=cells)).tolist(), scores[order]
    return tuple(ordered[start:end] for start, end in zip([0, *ends], ends, strict=False))
