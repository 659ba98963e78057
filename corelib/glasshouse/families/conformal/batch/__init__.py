"""Batches: what can be promised of several test points together."""

from __future__ import annotations

from glasshouse.families.conformal.batch.interface import Batches, Look, Method

__all__ = ["Batches", "Look", "Method"]
