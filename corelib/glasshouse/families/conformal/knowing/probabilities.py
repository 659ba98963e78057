"""How good probabilities are, with the truth known and without it. p, truth and outcome float64 [n] or [n, K]; outcomes are 0 or 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TINY = 1e-12        # a probability that is not 0, so that its logarithm exists


@dataclass(frozen=True, eq=False)
class Bins:
    """Reliability in equally full bins, float64 [bins]; NaN where ties leave one empty. ``which`` int64 [n] is each point's bin."""

    which: np.ndarray
    count: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray

    @property
    def ece(self) -> float:
        """Expected calibration error: the bins' gaps, weighted by their counts."""
        return float(np.nansum(self.count * np.abs(self.predicted - self.observed)) / self.count.sum())

    @property
    def mce(self) -> float:
        """Maximum calibration error: the widest gap."""
        return float(np.nanmax(np.abs(self.predicted - self.observed)))


def squared_error(p: np.ndarray, truth: np.ndarray) -> float:
    """MSE_p, the mean of (p - truth)^2: what is wanted and cannot be computed outside a simulation."""
    return float(np.mean((p - truth) ** 2))


def brier(p: np.ndarray, outcome: np.ndarray) -> float:
    """The mean of (p - outcome)^2. In expectation MSE_p plus the mean of truth (1 - truth), which no model can change."""
    return float(np.mean((p - outcome) ** 2))


def divergence(p: np.ndarray, truth: np.ndarray) -> float:
    """Mean Kullback-Leibler divergence KL(truth || p) in nats, rows [n, K]; p is raised to at least 1e-12."""
    held = np.where(truth > 0, truth, 1.0)
    return float(np.sum(truth * (np.log(held) - np.log(np.maximum(p, TINY)))) / len(p))


def binned(p: np.ndarray, outcome: np.ndarray, bins: int) -> Bins:
    """p [n] in bins of equally many points; equal p stay together."""
    edges = np.sort(p)[(np.arange(1, bins) * len(p)) // bins]
    which = np.searchsorted(edges, p, side="right")
    count = np.bincount(which, minlength=bins)
    return Bins(which, count.astype(np.float64), mean_by(which, p, bins), mean_by(which, outcome, bins))


def mean_by(which: np.ndarray, values: np.ndarray, bins: int) -> np.ndarray:
    """The mean of the values [n] in each bin, NaN in an empty one: float64 [bins]."""
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = np.bincount(which, values, bins) / np.bincount(which, minlength=bins)
        return mean


def calibration_error(p: np.ndarray, outcome: np.ndarray, bins: int = 15) -> float:
    """ECE of rows [n, K], each answer against the others, averaged over answers."""
    return float(np.mean([binned(p[:, k], outcome[:, k], bins).ece for k in range(p.shape[1])]))


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Labels int64 [n] as rows of one 1: float64 [n, K]."""
    rows: np.ndarray = np.eye(classes)[labels]
    return rows


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's correlation of two rows of numbers; ties share their mean rank; NaN where one of them is constant or has one number."""
    ra, rb = _ranked(a), _ranked(b)
    ra, rb = ra - ra.mean(), rb - rb.mean()
    size = float(np.sqrt((ra @ ra) * (rb @ rb)))
    return float(ra @ rb) / size if size else float("nan")


def _ranked(values: np.ndarray) -> np.ndarray:
    ordered = np.sort(values)
    mean: np.ndarray = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") - 1) / 2
    return mean
