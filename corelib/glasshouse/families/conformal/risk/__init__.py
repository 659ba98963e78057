"""Risk control: promises about any bounded loss that shrinks as sets grow, not only about missing the truth.

    from glasshouse.families.conformal.risk import control
    control(losses, alpha=0.1)                  # losses [n, J], daring to safe: which column to use, or None
"""

from __future__ import annotations

from glasshouse.families.conformal.risk.control import control
from glasshouse.families.conformal.risk.interface import Choice
from glasshouse.families.conformal.risk.table import Table

__all__ = ["Choice", "Table", "control"]
