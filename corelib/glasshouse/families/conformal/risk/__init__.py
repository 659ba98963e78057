"""Risk control: promises about any bounded loss that shrinks as sets grow, not only about missing the truth.

    from glasshouse.families.conformal import control
    control(losses, alpha=0.1)                  # losses [n, J], daring to safe: which column to use, and what is promised
"""

from __future__ import annotations

from glasshouse.families.conformal.risk.interface import Choice
from glasshouse.families.conformal.risk.table import Table

__all__ = ["Choice", "Table"]
