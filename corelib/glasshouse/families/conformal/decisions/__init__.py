"""Deciding with a confidence: when to answer, to give a set, to stay silent, or to ask a dearer model."""

from __future__ import annotations

from glasshouse.families.conformal.decisions.selective import area, risk_bound, risk_curve

__all__ = ["area", "risk_bound", "risk_curve"]
