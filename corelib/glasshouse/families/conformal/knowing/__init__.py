"""What a model knows: are its probabilities true, and does it know how far off they are?"""

from __future__ import annotations

from glasshouse.families.conformal.knowing.probabilities import brier, calibration_error, squared_error
from glasshouse.families.conformal.knowing.second_order import cheating, confidence, radius, variance

__all__ = ["brier", "calibration_error", "cheating", "confidence", "radius", "squared_error", "variance"]
