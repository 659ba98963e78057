"""Rules: detectors corrected by what is known about their objects, and sets certified against attacks on the input."""

from __future__ import annotations

from glasshouse.families.conformal.rules.interface import Evidence, Look, Method

__all__ = ["Evidence", "Look", "Method"]
