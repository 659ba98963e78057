"""What every method of this family must satisfy, whatever it trains with."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from glasshouse.families.certification import drive as loop
from glasshouse.families.certification.certificate import certified_radius, input_box
from glasshouse.families.certification.interface import Look
from glasshouse.families.certification.network import Net
from glasshouse.families.certification.problems import Tiny
from glasshouse.families.certification.training import Trainee
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.certification import Checkpoint


def _trained(method: type[Any]) -> tuple[Checkpoint, ...]:
    plain: type = method  # a cache's key: to mypy, type[Any] is not hashable
    return _run(plain)


@lru_cache(maxsize=4)
def _run(method: type) -> tuple[Checkpoint, ...]:
    return tuple(e for e in loop.drive(method(), Tiny(), Seeds(0)) if isinstance(e, Checkpoint))


def nothing_certified_was_broken(method: type[Any]) -> bool:
    """At every checkpoint and for every image: proofs below, attacks above."""
    return all(bool((c.certified_radius < c.broken_radius).all()) for c in _trained(method))


def drawn_images_stay_where_bounds_say(method: type[Any]) -> bool:
    """Images drawn within the certified radius keep their label, corners above all."""
    last = _trained(method)[-1]
    net, x, labels = Net.of(last.weights), torch.from_numpy(last.images), torch.from_numpy(last.labels)
    radius = certified_radius(net, x, labels).clamp_min(0).unsqueeze(1)
    box, rng = input_box(x, radius), Seeds(0).torch("law")
    held = torch.from_numpy(last.certified_radius) >= 0
    for _ in range(50):
        share = torch.randint(2, x.shape, generator=rng).double()
        if bool((net.logits(box.lower + share * (box.upper - box.lower)).argmax(1) != labels)[held].any()):
            return False
    return bool(held.any())


def the_radius_grows_to_what_was_asked(method: type[Any]) -> bool:
    """Never above the training eps, never shrinking, and there at the end unless training stays ordinary."""
    chosen = method()
    radii = [chosen.radius(i / 100) for i in range(101)]
    return bool(all(0 <= a <= b <= chosen.train_eps for a, b in itertools.pairwise(radii)) and radii[-1] == chosen.train_eps)


def the_loss_at_radius_zero_holds_the_cross_entropy(method: type[Any]) -> bool:
    """A loss of bounds is never below the ordinary loss."""
    task = Tiny().open()
    chosen = method()
    trainee = Trainee(chosen, 64, 3, Seeds(0).torch("law"))
    x, labels = task.train[:50], task.train_labels[:50]
    plain = torch.nn.functional.cross_entropy(trainee.net(x).logits(x.double()), labels)
    losses = [float(chosen.loss(trainee.bounded(x, labels, eps), eps).detach()) for eps in (0.0, 0.01, 0.1)]
    return bool(all(value >= float(plain) - 1e-5 for value in losses))


def looks_agree_with_what_was_judged(method: type[Any]) -> bool:
    """Margins found by a look are positive exactly where the radius says certified, away from its last halving."""
    events = _trained(method)
    last = events[-1]
    for eps in (0.0, 0.03, 0.1):
        seen = loop.look(events, Look(eps=eps))
        sure = np.abs(last.certified_radius - eps) > 2e-3
        if ((seen.margins > 1e-9) != (last.certified_radius >= eps))[sure].any():
            return False
    return True


LAWS: tuple[Callable[[type[Any]], bool], ...] = (
    nothing_certified_was_broken, drawn_images_stay_where_bounds_say, the_radius_grows_to_what_was_asked,
    the_loss_at_radius_zero_holds_the_cross_entropy, looks_agree_with_what_was_judged)
