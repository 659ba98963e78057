"""What several methods of the family say alike: promises, read without importing."""

from __future__ import annotations

from glasshouse.schema.guarantee import Guarantee

MARGINAL = Guarantee(
    "marginal", "A set holds the true label with probability at least 1 - alpha.",
    assumptions=("calibration and test points are exchangeable", "the model was not trained on them",
                 "alpha and the knobs were chosen without looking at the calibration points"),
    scope="on average over calibration sets and test points, not for each image or class")

INTERVAL_MARGINAL = Guarantee(
    "marginal", "An interval holds the truth with probability at least 1 - alpha.",
    assumptions=("calibration and test points are exchangeable", "the model was not trained on them",
                 "alpha and the knobs were chosen without looking at the calibration points"),
    scope="on average over calibration sets and test points, not at each x")
