"""The pictures of conformal prediction: sets under their images, scores with their threshold, coverage on its band."""

from glasshouse_widgets.figures.conformal.calibration import covered, p_values, scores, sizes
from glasshouse_widgets.figures.conformal.grid import COLUMNS, prediction_sets

__all__ = ["COLUMNS", "covered", "p_values", "prediction_sets", "scores", "sizes"]
