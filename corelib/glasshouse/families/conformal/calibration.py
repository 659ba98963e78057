"""Split conformal prediction in two calls: calibrate once, then sets for any alpha. Works on NumPy without torch."""

from __future__ import annotations

import inspect
import logging
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np

from glasshouse.families.conformal.cells import Cells, by_class, by_point, pooled
from glasshouse.families.conformal.draws import Draws
from glasshouse.families.conformal.fullness import Fullness, crowded, too_few
from glasshouse.families.conformal.inputs import class_labels, probabilities, shares
from glasshouse.families.conformal.interface import Celled, Method
from glasshouse.families.conformal.ranks import Ranks, kth, miscoverage, threshold_rank, threshold_ranks
from glasshouse.families.conformal.reuse import Reuse
from glasshouse.families.conformal.scores import RANDOMISED
from glasshouse.families.conformal.tuning import split
from glasshouse.numerics.seeds import Seeds, checked_seed
from glasshouse.schema.build import build, unknown
from glasshouse.schema.errors import BadValue, bad_type, bad_value
from glasshouse.schema.guarantee import Guarantee, Kind

log = logging.getLogger(__name__)
MOST_GROUPS = 10_000
SAMPLED = 64            # calibration rows by which full sets are noticed
ENTRIES = 1_000_000     # of probabilities scored at a time: a score needs several arrays as large
OWN_ENTRIES = 1 << 17   # where only one label a row is scored: what that needs stays in the cache


@dataclass(frozen=True, eq=False)
class Calibration:
    """A score and its values on the calibration points, cell by cell (one cell unless grouped).

    ``draws`` gives a randomised score its u, fresh for every predicted row; ``reuse`` knows calibration rows again; ``sample`` holds some
    of them, by which it is seen how many sets hold every label.
    """

    method: Method
    cells: Cells
    classes: int
    seed: int = 0
    draws: Draws = field(default_factory=Draws)
    reuse: Reuse = field(default_factory=Reuse)
    sample: np.ndarray = field(default_factory=lambda: np.empty((0, 1)))

    def __repr__(self) -> str:
        kinds = {"all": "one threshold", "group": f"{len(self.cells.n)} groups", "class": "a threshold a class",
                 "cluster": f"{len(self.cells.n)} clusters of classes"}
        return f"Calibration({self.method!r}, n={self.n}, classes={self.classes}, {kinds[self.cells.kind]}, seed={self.seed})"

    @property
    def n(self) -> int:
        """Calibration points in all."""
        return int(self.cells.n[-1] if self.cells.rare else self.cells.n.sum())

    @property
    def scores(self) -> np.ndarray:
        """All calibration scores, float64 [n], ascending."""
        return self.cells.scores[-1] if self.cells.rare else np.sort(np.concatenate(self.cells.scores))

    @property
    def guarantee(self) -> Guarantee:
        """The promise for any alpha chosen without looking at these points."""
        return promise(self.method.guarantee, self.cells, FRESH if takes_share(self.method) else "")

    def threshold(self, alpha: float) -> float | np.ndarray:
        """S_(k), k = ceil((n + 1)(1 - alpha)): labels that score at most this are in the set. +inf where k > n. One a cell, if grouped."""
        each = [_threshold(known, alpha) for known in self.cells.scores]
        return each[0] if self.cells.kind == "all" else np.array(each)

    def rank(self, probs: Any, groups: Any = None, u: Any = None) -> Ranks:
        """Ranks the labels of ``probs`` [m, K] once, for any alpha.

        ``groups`` [m]: the points' groups, where the calibration points had some. ``u`` [m] in [0, 1]: a randomised score's share of a
        label's own mass, one number a row; by default fresh for every row that this object ranks, as `Draws` says, so that calls with
        one row each are as good as one call. To see how sets grow as alpha falls, rank once: the ranks hold one u a row.

        Raises: BadType, BadValue naming the argument.
        """
        checked = probabilities("probs", probs, self.classes)
        if self.cells.kind == "group" and groups is None:
            raise BadValue("groups = None is not allowed: these scores were calibrated in groups of points, so name each point's group", "groups")
        if self.cells.kind != "group" and groups is not None:
            raise BadValue("groups is not allowed here: these scores were not calibrated in groups of points", "groups")
        if self.reuse.noticed(checked):
            log.warning("probs holds rows that were calibrated on: what is covered there says nothing about new points")
        of_point = None if groups is None else class_labels("groups", groups, len(checked), len(self.cells.scores))
        share = self._share(checked) if u is None else shares("u", u, len(checked))
        found = [self.cells.rank(self.method.score(checked[rows], share[rows]), None if of_point is None else of_point[rows])
                 for rows in _blocks(*checked.shape)]
        first, whole = found[0], np.concatenate([one.ranks for one in found])
        cell = first.cell if of_point is None else np.concatenate([one.cell for one in found if one.cell is not None])
        return Ranks(whole, first.n, cell)

    def predict(self, probs: Any, alpha: float = 0.1, groups: Any = None, u: Any = None) -> np.ndarray:
        """bool [m, K]: the prediction set of every row of ``probs`` [m, K]."""
        exact = miscoverage(alpha)
        if exact not in self._told:
            self._told.add(exact)
            if full := self.fullness(alpha):
                log.warning("%s: %s", full.why, full.advice)
        return self.rank(probs, groups, u).sets(alpha)

    def _share(self, probs: np.ndarray) -> np.ndarray:
        return self.draws.take(probs) if takes_share(self.method) else np.zeros(len(probs))

    def fullness(self, alpha: float) -> Fullness:
        """Why sets hold all or most labels at this alpha, and what can be done; false where they do not. Counted on calibration rows."""
        k = threshold_ranks(self.cells.n, alpha)
        return too_few(self.cells.n, k, alpha, self.cells.kind) or crowded(
            self._sampled.sizes(alpha), self.classes, alpha, self.cells.scores, deterministic(self.method))

    @cached_property
    def _sampled(self) -> Ranks:
        """Some calibration rows, ranked: with groups, in the largest, whose sets are the last to fill."""
        groups = np.full(len(self.sample), self.cells.n.argmax()) if self.cells.kind == "group" else None
        return self.cells.rank(self.method.score(self.sample, np.full(len(self.sample), 0.5)), groups)

    @cached_property
    def _told(self) -> set[Fraction]:
        """Levels at which full sets were looked for."""
        return set()


FRESH = (" A randomised score's share u of a label's own mass is drawn anew for every prediction, from the seed, the number of rows predicted "
         "before and the row: rows may come singly or in batches.")


def takes_share(method: Method) -> bool:
    """Whether the score depends on u."""
    return bool(getattr(method, "randomized", False)) and getattr(method, "base", "aps") in RANDOMISED


def deterministic(method: Method) -> bool:
    """Whether the score could take a random share, and does not."""
    return getattr(method, "randomized", True) is False and getattr(method, "base", "aps") in RANDOMISED


def promise(best: Guarantee, cells: Cells, more: str = "") -> Guarantee:
    """What a score promises with these calibration points: for all, for every group of points, or for every class. ``more``: said after it."""
    n = cells.n
    if cells.kind == "all":
        return replace(best, kind="marginal", statement=(
            f"With {n[0]} calibration points, a set holds the true label with probability at least 1 - alpha and, "
            f"where scores do not tie, at most 1 - alpha + {1 / (n[0] + 1):.3g}.{more}"))
    what = {"group": "in every group of points", "class": "whatever the true class", "cluster": "in every cluster of classes"}[cells.kind]
    if cells.rare:
        n, what = n[:-1], f"{what} but that of the rare ones, for which nothing is promised"
    kind: Kind = "class" if cells.kind == "class" else "group"
    scope = best.scope if cells.kind == "cluster" else f"on average over calibration sets and test points, {what}"
    return replace(best, kind=kind, scope=scope, statement=(
        f"With {n.min()} to {n.max()} calibration points a cell, a set holds the true label with probability at least 1 - alpha {what}.{more}"))


def true_scores(method: Method, probs: np.ndarray, labels: np.ndarray, u: np.ndarray) -> np.ndarray:
    """The score of each row's true label, float64 [n]."""
    return np.concatenate([method.score(probs[rows], u[rows], labels[rows]) for rows in _blocks(len(probs), probs.shape[1], OWN_ENTRIES)])


def _blocks(n: int, k: int, entries: int = 0) -> list[slice]:
    """Rows by so many that what scoring them needs stays small; at least one block, perhaps empty."""
    rows = max(1, (entries or ENTRIES) // max(k, 1))
    return [slice(start, start + rows) for start in range(0, max(n, 1), rows)]


def fit(method: Method, probs: np.ndarray, labels: np.ndarray, u: np.ndarray, group: np.ndarray, groups: int, seeds: Seeds) -> Calibration:
    """Scores the true labels of checked ``probs`` [n, K], ``labels`` [n]; a method with cells of its own sorts them into those.

    ``group`` int64 [n] numbers the points' ``groups``.
    """
    scores, k = true_scores(method, probs, labels, u), probs.shape[1]
    cells = method.cells(scores, labels, k, group, groups, seeds) if isinstance(method, Celled) else pooled(scores)
    return _made(method, cells, probs, labels, seeds)


def _made(method: Method, cells: Cells, probs: np.ndarray, labels: np.ndarray, seeds: Seeds) -> Calibration:
    return Calibration(method, cells, probs.shape[1], seeds.seed, Draws.of(seeds, labels), Reuse(probs), probs[:SAMPLED].copy())


def calibrate(probs: Any, labels: Any, score: str = "aps", randomized: bool = False, groups: Any = None, seed: int = 0,
              tune: Any = None, **knobs: Any) -> Calibration:
    """Calibrates ``score`` on points that the model was not trained on.

    ``probs`` [n, K], rows summing to 1; ``labels`` [n], whole numbers from 0 to K - 1; NumPy arrays or torch tensors. ``score`` is
    the name of a method of this family, ``knobs`` its own. ``randomized``: a score of the APS kind takes a random share of a label's own
    mass, drawn from ``seed``. ``groups``: None, "class" for a threshold a class, or whole numbers [n] for a threshold a group of points.
    ``tune``: an alpha for which RAPS and SAPS choose their constants, each as in its paper, on points that are drawn from these and then do
    not calibrate. A mondrian or clustered method over APS, RAPS or SAPS is randomised as its base is.
    With fewer than ceil(1 / alpha) - 1 points in a cell, its labels are in every set.

    Raises: BadType, BadValue naming the argument.
    """
    method = _method(score, randomized, knobs)
    checked = probabilities("probs", probs)
    known = class_labels("labels", labels, *checked.shape)
    seeds = Seeds(checked_seed(seed))
    group = _groups(method, groups, len(known))
    if tune is not None:
        method, rest = split(method, score, checked, known, tune, knobs, seeds)
        checked, known, group = checked[rest], known[rest], None if group is None else group[rest]
    u = seeds.numpy("u of calibration points").random(len(checked))
    if groups is None:
        found = fit(method, checked, known, u, np.zeros(len(known), np.int64), 1, seeds)
    else:
        scores, k = true_scores(method, checked, known, u), checked.shape[1]
        cells = by_class(scores, known, np.arange(k)) if group is None else by_point(scores, group, int(group.max(initial=0)) + 1)
        found = _made(method, cells, checked, known, seeds)
    if found.n == 0:
        log.warning("no calibration points: every set will be full")
    return found


def _groups(method: Method, groups: Any, n: int) -> np.ndarray | None:
    """``groups`` as int64 [n]; None where they are the classes or there are none."""
    if groups is not None and isinstance(method, Celled):
        raise BadValue("groups is not allowed here: this method makes cells of its own", "groups")
    if isinstance(groups, str) and groups != "class":
        raise bad_value("groups", groups, '"class", whole numbers [n], or None')
    return None if groups is None or isinstance(groups, str) else class_labels("groups", groups, n, MOST_GROUPS)


def _threshold(known: np.ndarray, alpha: float) -> float:
    return kth(known, threshold_rank(len(known), alpha))


def _method(score: Any, randomized: Any, knobs: dict[str, Any]) -> Method:
    if not isinstance(score, str):
        raise bad_type("score", score, "the name of a score, such as 'lac'")
    names = {p.stem for p in (Path(__file__).parent / "methods").glob("[!_]*.py")}
    module = score.replace("-", "_")
    if module not in names:
        raise unknown("score", score, (name.replace("_", "-") for name in names))
    home = import_module(f"glasshouse.families.conformal.methods.{module}")
    cls = next(c for _, c in inspect.getmembers(home, inspect.isclass) if c.__module__ == home.__name__ and hasattr(c, "paper"))
    can = "randomized" in getattr(cls, "__dataclass_fields__", {})
    if randomized and not can:
        raise bad_value("randomized", randomized, f"False: {score} has no randomness")
    chosen: Any = build(cls, {"randomized": randomized, **knobs} if can else knobs)
    if randomized and not takes_share(chosen):
        raise bad_value("randomized", randomized, f"False: the score {chosen.base}, on which {score} is based here, has no randomness")
    return cast(Method, chosen)
