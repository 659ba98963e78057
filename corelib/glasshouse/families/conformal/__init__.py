"""Conformal prediction: sets that hold the truth with a probability that is promised, for any model.

    from glasshouse.families.conformal import calibrate
    c = calibrate(probs, labels)               # probs [n, K], labels [n]
    c.predict(probs_test, alpha=0.1)           # bool [m, K]

    probs, labels = ask(model, data)           # of a fitted scikit-learn classifier, or of a torch module with a loader

    r = calibrate_regression(predictions, targets)         # [n], [n]
    r.interval(predictions_test, alpha=0.1)                # [m, 2]
"""

from __future__ import annotations

from glasshouse.families.conformal.asking import ask
from glasshouse.families.conformal.calibration import Calibration, calibrate
from glasshouse.families.conformal.intervals import IntervalCalibration, Ridge, calibrate_regression
from glasshouse.families.conformal.ranks import Ranks

__all__ = ["Calibration", "IntervalCalibration", "Ranks", "Ridge", "ask", "calibrate", "calibrate_regression"]
