"""Mondrian conformal prediction. Vovk, Gammerman, Shafer 2005."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np

from glasshouse.families.conformal.cells import Cells, by_class, by_point
from glasshouse.families.conformal.interface import Randomized, Temperature
from glasshouse.families.conformal.scores import Named, named, tempered
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class Mondrian:
    """Each cell of the data has its own threshold, so each is covered as promised: rare and difficult ones too.

    Cells are the classes (a label is compared with calibration points of its own class) or groups of points known before the label.
    A cell with fewer than ceil(1 / alpha) - 1 calibration points cannot rule anything out: its labels are always in.
    """

    paper: ClassVar[Paper] = Paper("Algorithmic Learning in a Random World", "Vovk, Gammerman, Shafer", 2005, doi="10.1007/b106715",
                                   where="section 4.5, Mondrian confidence machines; inductive form")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "class", "In every cell, a set holds the true label with probability at least 1 - alpha.",
        assumptions=("calibration and test points of a cell are exchangeable", "the model was not trained on them",
                     "alpha and the knobs were chosen without looking at the calibration points"),
        scope="on average over calibration sets and test points of each cell")
    views: ClassVar[tuple[View, ...]] = (
        View("bars", "Calibration points a cell", x="cell", y="points", x_label="cell", y_label="points"),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Nine points a class", "What do few points of each class cost?", {"calibration_size": 90, "alpha": 0.1}, problem="digits"),
        Preset("Thin and bold", "Is thin writing covered as often as bold?", {"by": "group", "alpha": 0.1}, problem="digits"))

    by: Annotated[Literal["class", "group"], Knob(cost="live", group="who is compared with whom", label="one threshold a")] = "class"
    base: Annotated[Named, Knob(cost="live", group="how it scores", label="score")] = "lac"
    randomized: Randomized = True
    temperature: Temperature = 1.0

    def score(self, probs: np.ndarray, u: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        return named(self.base, tempered(probs, self.temperature), u if self.randomized else None, labels)

    def cells(self, scores: np.ndarray, labels: np.ndarray, classes: int, group: np.ndarray, groups: int, seeds: Seeds) -> Cells:
        if self.by == "class":
            return by_class(scores, labels, np.arange(classes))
        return by_point(scores, group, groups)

    def extra(self, cells: Cells) -> Mapping[str, np.ndarray]:
        return {"cell": np.array(cells.names), "points": cells.n.astype(np.float64)}
