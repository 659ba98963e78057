"""Certification: answers that no small change of the input can flip, proved by interval bounds, and training that makes them many.

    from glasshouse.families.certification import certify
    certify(model, x, labels).certified(eps=0.02)       # an nn.Module or arrays; x [n, ...] in [0, 1]; bool [n]
"""

from __future__ import annotations

from glasshouse.families.certification.certificate import certified_radius
from glasshouse.families.certification.network import Net
from glasshouse.families.certification.proof import Proof, certify

__all__ = ["Net", "Proof", "certified_radius", "certify"]
