"""Conformal prediction: sets that hold the truth with a probability that is promised, for any model.

    from glasshouse.families.conformal import calibrate
    c = calibrate(probs, labels)               # probs [n, K], labels [n]
    c.predict(probs_test, alpha=0.1)           # bool [m, K]

    probs, labels = ask(model, data)           # of a fitted scikit-learn classifier, or of a torch module with a loader

    r = calibrate_regression(predictions, targets)         # [n], [n]
    r.interval(predictions_test, alpha=0.1)                # [m, 2]

On scores, losses or programs of your own, each with its guarantee: `control` (any bounded loss), `adaptive_limits` (a stream),
`weighted_limits` (covariate shift), `batch_claim` (many points at once), `answer_surest` (when to answer), `calibrate_robust` (under
attack), `calibrate_rules` (classes corrected by rules), `calibrate_code` (programs with holes). They are imported when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from glasshouse.families.conformal.asking import ask
from glasshouse.families.conformal.calibration import Calibration, calibrate
from glasshouse.families.conformal.intervals import IntervalCalibration, Ridge, calibrate_regression
from glasshouse.families.conformal.ranks import Ranks

if TYPE_CHECKING:
    from glasshouse.families.conformal.batch.claims import BatchClaim, batch_claim
    from glasshouse.families.conformal.code.calibration import CodeCalibration, ProgramSet, calibrate_code
    from glasshouse.families.conformal.decisions.answering import Answering, answer_surest
    from glasshouse.families.conformal.drift.limits import Limits, adaptive_limits, weighted_limits
    from glasshouse.families.conformal.risk.control import Controlled, control
    from glasshouse.families.conformal.robust.calibration import RobustCalibration, calibrate_robust
    from glasshouse.families.conformal.rules.calibration import RuleCalibration, calibrate_rules

_HOMES = {
    "BatchClaim": "batch.claims", "batch_claim": "batch.claims", "CodeCalibration": "code.calibration", "ProgramSet": "code.calibration",
    "calibrate_code": "code.calibration", "Answering": "decisions.answering", "answer_surest": "decisions.answering",
    "adaptive_limits": "drift.limits", "weighted_limits": "drift.limits",
    "Limits": "drift.limits", "Controlled": "risk.control", "control": "risk.control",
    "RobustCalibration": "robust.calibration", "calibrate_robust": "robust.calibration", "RuleCalibration": "rules.calibration",
    "calibrate_rules": "rules.calibration"}

__all__ = ["Answering", "BatchClaim", "Calibration", "CodeCalibration", "Controlled", "IntervalCalibration", "Limits", "ProgramSet", "Ranks", "Ridge",
           "RobustCalibration", "RuleCalibration", "adaptive_limits", "answer_surest", "ask", "batch_claim", "calibrate", "calibrate_code",
           "calibrate_regression", "calibrate_robust", "calibrate_rules", "control", "weighted_limits"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
