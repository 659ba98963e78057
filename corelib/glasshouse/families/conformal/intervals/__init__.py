"""Prediction intervals: around the forecast of a number, a stretch that holds the truth with a probability that is promised.

    from glasshouse.families.conformal.intervals import calibrate_regression
    c = calibrate_regression(predictions, targets)         # both [n]
    c.interval(predictions_test, alpha=0.1)                # float64 [m, 2]
    ranked = c.rank(predictions_test)                      # ranked once: ranked.interval(alpha) is then a look-up
"""

from __future__ import annotations

from glasshouse.families.conformal.intervals.calibration import IntervalCalibration, IntervalRanks, calibrate_regression
from glasshouse.families.conformal.intervals.ridge import Ridge

__all__ = ["IntervalCalibration", "IntervalRanks", "Ridge", "calibrate_regression"]
