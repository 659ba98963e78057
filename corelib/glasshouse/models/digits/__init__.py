"""The bundled digit models, and the digits that none of them was trained on. NumPy alone."""

from __future__ import annotations

from glasshouse.models.digits.networks import NAMES, Name, Network, load_network
from glasshouse.models.digits.points import Digits, load_digits, load_logistic

__all__ = ["NAMES", "Digits", "Name", "Network", "load_digits", "load_logistic", "load_network"]
