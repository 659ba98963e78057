"""Conformal prediction: sets that hold the truth with a probability that is promised, for any model.

    from glasshouse.families.conformal import calibrate
    c = calibrate(probs, labels)               # probs [n, K], labels [n]
    c.predict(probs_test, alpha=0.1)           # bool [m, K]
"""

from __future__ import annotations

from glasshouse.families.conformal.calibration import Calibration, calibrate
from glasshouse.families.conformal.ranks import Ranks

__all__ = ["Calibration", "Ranks", "calibrate"]
