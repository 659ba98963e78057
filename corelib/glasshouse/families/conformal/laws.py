"""What every score of this family must satisfy, whatever it computes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from glasshouse.families.conformal.calibration import fit
from glasshouse.numerics.seeds import Seeds

HALF = np.full(100, 0.5)


def _drawn(points: int, classes: int, purpose: str) -> tuple[np.ndarray, np.ndarray]:
    rng = Seeds(0).numpy(purpose)
    return rng.dirichlet(np.ones(classes), points), rng.integers(classes, size=points)


def scores_are_numbers_of_the_right_shape(method: type[Any]) -> bool:
    """Also at the corners: a certain model, and one that knows nothing."""
    probs = np.vstack((np.eye(4), np.full((1, 4), 0.25), _drawn(20, 4, "shape")[0]))
    scores = method().score(probs, HALF[:len(probs)])
    return bool(scores.shape == probs.shape and scores.dtype == np.float64 and not np.isnan(scores).any())


def a_row_depends_on_itself_alone(method: type[Any]) -> bool:
    probs, _ = _drawn(30, 5, "rows")
    u = Seeds(0).numpy("shares").random(30)
    whole = method().score(probs, u)
    return bool((whole[7:9] == method().score(probs[7:9], u[7:9])).all() and (whole[::-1] == method().score(probs[::-1], u[::-1])).all())


def one_label_a_row_scores_as_among_all(method: type[Any]) -> bool:
    """Bit by bit, or calibration scores would tie with test scores only by chance: also for certain rows, equal entries and float32."""
    rng = Seeds(0).numpy("one label")
    rows = (rng.dirichlet(np.full(6, 0.4), 60), rng.multinomial(8, np.full(6, 1 / 6), size=60) / 8, np.eye(6),
            rng.dirichlet(np.full(6, 0.02), 60).astype(np.float32).astype(np.float64))
    probs = np.concatenate(rows)
    u, labels, at = rng.random(len(probs)), rng.integers(6, size=len(probs)), np.arange(len(probs))
    return bool((method().score(probs, u, labels) == method().score(probs, u)[at, labels]).all())


def sets_are_nested_in_alpha(method: type[Any]) -> bool:
    probs, labels = _drawn(60, 5, "nested")
    fitted = fit(method(), probs[:40], labels[:40], HALF[:40], np.arange(40) % 2, 2, Seeds(0))
    ranked = fitted.cells.rank(method().score(probs[40:], HALF[:20]), np.arange(20) % 2)
    sets = [ranked.sets(a / 20) for a in range(1, 20)]
    return all(bool((small <= large).all()) for large, small in itertools.pairwise(sets))


def ranks_thresholds_and_p_values_agree(method: type[Any]) -> bool:
    """Three ways to the same sets, with ties: probabilities are multiples of 1/8, exact in binary, as is every alpha here."""
    rng = Seeds(0).numpy("ties")
    probs = rng.multinomial(8, np.full(4, 0.25), size=90) / 8
    labels = rng.integers(4, size=90)
    chosen = method()
    fitted = fit(chosen, probs[:31], labels[:31], HALF[:31], np.arange(31) % 2, 2, Seeds(0))
    scores = chosen.score(probs[31:], HALF[:59])
    ranked = fitted.cells.rank(scores, np.arange(59) % 2)
    cell = 0 if ranked.cell is None else ranked.cell
    return all(bool((ranked.sets(a) == (scores <= np.atleast_1d(fitted.threshold(a))[cell])).all()
                    and (ranked.sets(a) == (ranked.p_values() > a)).all()) for a in (i / 64 for i in range(1, 64)))


LAWS: tuple[Callable[[type[Any]], bool], ...] = (
    scores_are_numbers_of_the_right_shape, a_row_depends_on_itself_alone, one_label_a_row_scores_as_among_all, sets_are_nested_in_alpha,
    ranks_thresholds_and_p_values_agree)
