"""Certification: answers that no small change of the input can flip, proved by interval bounds, and training that makes them many.

    from glasshouse.families.certification import Net, certified_radius
    radius = certified_radius(Net(weights, biases), x, labels)      # float64 tensors; x [n, d] in [0, 1]
"""

from __future__ import annotations

from glasshouse.families.certification.certificate import certified_radius
from glasshouse.families.certification.network import Net

__all__ = ["Net", "certified_radius"]
