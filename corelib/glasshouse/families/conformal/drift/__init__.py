"""Drift: what becomes of the promise when tomorrow is no longer like the calibration points, and how to keep it.

    from glasshouse.families.conformal.drift import adaptive_limits, weighted_limits
    adaptive_limits(calibration, scores, alpha=0.1).limit           # scores [T] of a stream: the limit of every step
    weighted_limits(calibration, weights, own, alpha=0.1).limit     # weights: likelihood ratios at the calibration and the test points
"""

from __future__ import annotations

from glasshouse.families.conformal.drift.interface import Path, Series
from glasshouse.families.conformal.drift.limits import adaptive_limits, weighted_limits

__all__ = ["Path", "Series", "adaptive_limits", "weighted_limits"]
