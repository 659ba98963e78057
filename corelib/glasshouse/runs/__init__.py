"""Running methods: sessions that are watched, records that are kept, sweeps over grids, side studies."""

from __future__ import annotations

from glasshouse.runs.record import run, save
from glasshouse.runs.session import Session, open
from glasshouse.runs.study import study
from glasshouse.runs.sweep import sweep

__all__ = ["Session", "open", "run", "save", "study", "sweep"]
