"""Sets that survive an attack: prediction sets from scores averaged over noise, with how far any small change can move them."""

from __future__ import annotations

from glasshouse.families.conformal.robust.certificate import Certificate
from glasshouse.families.conformal.robust.interface import Look, Method, Pool

__all__ = ["Certificate", "Look", "Method", "Pool"]
