"""Clustered conformal prediction. Ding, Angelopoulos, Bates, Jordan, Tibshirani 2023."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.cells import Cells, by_class, pooled
from glasshouse.families.conformal.interface import Randomized, Temperature
from glasshouse.families.conformal.scores import Named, named, tempered
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9)
PASSES, STARTS = 50, 40


@dataclass(frozen=True)
class Clustered:
    """Classes whose scores are distributed alike share a threshold: between one for all and one a class.

    A part of the calibration points places each class y at five quantiles of its own scores; k-means, weighted by sqrt(n_y), makes
    clusters of classes; the other part calibrates a threshold a cluster. With n the points of the rarest class (at least ``rare``) and K'
    the classes that have so many, floor(n K' / (75 + K')) points of a class go into the first part, and half that number is how many
    clusters there are; with one or none there is one threshold for all. Classes with fewer than ``rare`` points form the null cluster, which
    takes the threshold of all points. They are counted over all calibration points: the authors' code counts those of the first part, of
    which ten digits would leave none to cluster.
    """

    paper: ClassVar[Paper] = Paper("Class-Conditional Conformal Prediction with Many Classes",
                                   "Ding, Angelopoulos, Bates, Jordan, Tibshirani", 2023, arxiv="2306.09335",
                                   where="section 2, clustered conformal prediction; the numbers of points and clusters as in its experiments")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "group", "In every cluster of classes, a set holds the true label with probability at least 1 - alpha.",
        assumptions=("calibration and test points are exchangeable", "the model was not trained on them",
                     "alpha and the knobs were chosen without looking at the calibration points",
                     "rare classes of the null cluster are promised nothing of their own"),
        scope="on average over calibration sets, test points and the classes of a cluster; each class only as far as its cluster is alike")
    views: ClassVar[tuple[View, ...]] = (
        View("scatter", "Where classes stand: alike ones share a threshold", x="median", y="upper", color="cluster", text="of",
             x_label="median score of the class", y_label="90 % quantile of its scores"),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Few points a class", "What do thirty points a class allow that nine do not?", {"calibration_size": 300, "clusters": 2, "alpha": 0.1},
               problem="digits"),
        Preset("Four clusters", "Do four thresholds serve ten digits better than two?", {"clusters": 4, "alpha": 0.1}, problem="digits"))

    clusters: Annotated[int, Ge(0), Le(50), Knob(
        cost="live", group="who is compared with whom", help="how many thresholds; 0: as many as the paper's rule says")] = 0
    rare: Annotated[int, Ge(2), Le(1000), Knob(
        cost="live", group="who is compared with whom", label="rare below", unit="points",
        help="classes with fewer points take the threshold of all; 9 points are what alpha = 0.1 needs")] = 9
    base: Annotated[Named, Knob(cost="live", group="how it scores", label="score")] = "lac"
    randomized: Randomized = True
    temperature: Temperature = 1.0

    def score(self, probs: np.ndarray, u: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        return named(self.base, tempered(probs, self.temperature), u if self.randomized else None, labels)

    def cells(self, scores: np.ndarray, labels: np.ndarray, classes: int, group: np.ndarray, groups: int, seeds: Seeds) -> Cells:
        count = np.bincount(labels, minlength=classes)
        for_clusters, clusters = self.sizes(count)
        if clusters < 2:
            there = np.flatnonzero(count)
            return replace(pooled(scores), told=_told(_placed(scores, labels, there), np.zeros(len(there)), there))
        placed = seeds.numpy("clustering part").random(len(labels)) < for_clusters
        n = np.bincount(labels[placed], minlength=classes)
        usual = np.flatnonzero((count >= self.rare) & (n > 0))
        where = _placed(scores[placed], labels[placed], usual)
        found = k_means(where, np.sqrt(n[usual]), min(clusters, len(usual)), seeds)
        of_class = np.full(classes, int(found.max(initial=-1)) + 1, np.int64)
        of_class[usual] = found
        cells = by_class(scores[~placed], labels[~placed], of_class)
        if len(usual) < classes:                # the last cell is the null cluster's
            cells = replace(cells, scores=(*cells.scores[:-1], np.sort(scores[~placed])), names=(*cells.names[:-1], f"rare: {cells.names[-1]}"))
        return replace(cells, kind="cluster", rare=len(usual) < classes, told=_told(where, found, usual))

    def sizes(self, count: np.ndarray) -> tuple[float, int]:
        """The share of points that places the classes, and how many clusters, from the points a class int64 [K]."""
        n = max(int(count.min()) if len(count) else 0, self.rare)
        enough = int((count >= n).sum())
        of_each = int(n * enough / (75 + enough))
        clusters = min(self.clusters, enough) or of_each // 2
        if self.clusters:                       # as many points as the asked clusters want, and never more than half
            of_each = min(max(of_each, 2 * clusters), n // 2)
        return of_each / n, clusters

    def extra(self, cells: Cells) -> Mapping[str, np.ndarray]:
        return cells.told


def _placed(scores: np.ndarray, labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Where each of ``classes`` stands, float64 [classes, LEVELS]."""
    return np.array([quantiles(scores[labels == y]) for y in classes]).reshape(len(classes), len(LEVELS))


def _told(where: np.ndarray, cluster: np.ndarray, classes: np.ndarray) -> dict[str, np.ndarray]:
    return {"median": where[:, 0], "upper": where[:, -1], "cluster": cluster.astype(np.float64), "of": classes.astype(str)}


def quantiles(scores: np.ndarray) -> list[float]:
    """The order statistics of rank ceil(n q) for q in LEVELS."""
    ordered = np.sort(scores)
    return [float(ordered[ceil(len(ordered) * q - 1e-9) - 1]) for q in LEVELS]


def k_means(points: np.ndarray, weights: np.ndarray, k: int, seeds: Seeds) -> np.ndarray:
    """Which of ``k`` clusters each of ``points`` [n, d] is in, int64 [n], numbered by first member: the best of forty starts of Lloyd's steps."""
    best, least = np.zeros(len(points), np.int64), np.inf
    for start in range(STARTS):
        at = seeds.numpy("k-means", start).choice(len(points), k, replace=False, p=weights / weights.sum())
        centre, near = points[at], best - 1
        for _ in range(PASSES):
            distance, before = ((points[:, None] - centre[None]) ** 2).sum(axis=2), near
            near = distance.argmin(axis=1)
            if (near == before).all():
                break
            centre = np.array([np.average(points[near == c], axis=0, weights=weights[near == c]) if (near == c).any() else centre[c]
                               for c in range(k)])
        cost = float((weights * distance.min(axis=1)).sum())
        if cost < least - 1e-12:
            best, least = near, cost
    _, first, number = np.unique(best, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first)), np.int64)[number]
