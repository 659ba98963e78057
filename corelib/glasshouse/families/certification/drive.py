"""The family's loop: train for some steps, stop and judge, and so on. What was judged can be looked at with any radius and image."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from glasshouse.families.certification.attack import broken_radius, pgd
from glasshouse.families.certification.certificate import certified_radius, worst_margin
from glasshouse.families.certification.interface import Look, Method, Task
from glasshouse.families.certification.network import Net
from glasshouse.families.certification.region import region
from glasshouse.families.certification.tightness import global_tightness, local_tightness
from glasshouse.families.certification.training import Adam, Trainee
from glasshouse.numerics.interval_bounds import ROUNDING
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import bad_value
from glasshouse.schema.events.base import Event, Progress
from glasshouse.schema.events.certification import BROKEN, SAFE, UNKNOWN, WRONG, Checkpoint, History, Inspected
from glasshouse.schema.guarantee import Guarantee

RATE = 3e-3             # Adam's; ours
MOMENTS = 20            # checkpoints of a run, besides the untrained network
BREATH = 8              # steps between two signs of life
PROBE = 128             # test images that the costlier measures are taken on


def drive(method: Method, problem: Any, seeds: Seeds, prepared: Any = None) -> Iterator[Event | Progress]:
    """A :class:`Checkpoint` of the untrained network, then about twenty while it trains. Same seed: same weights and batches."""
    task: Task = problem.open()
    trainee = Trainee(method, task.train.shape[1], task.classes, seeds.torch("weights"))
    adam, batches = Adam(trainee.parameters(), RATE), seeds.torch("batches")
    every = max(1, math.ceil(task.steps / MOMENTS))
    eps, loss = method.radius(0.0), math.nan
    for step in range(task.steps + 1):
        if step % every == 0 or step == task.steps:
            yield from _judged(method, task, trainee.net(task.train), step, eps, loss)
        if step == task.steps:
            return
        if step % BREATH == 0:
            yield Progress(done=step, total=task.steps, message="training")
        at = torch.randint(len(task.train), (task.batch,), generator=batches)
        eps = method.radius((step + 1) / task.steps)
        lost = method.loss(trainee.bounded(task.train[at], task.train_labels[at], eps), eps)
        loss = float(lost.detach())
        adam.step(lost)


def _judged(method: Method, task: Task, net: Net, step: int, eps: float, loss: float) -> Iterator[Event | Progress]:
    x, labels = task.test, task.test_labels
    certified = certified_radius(net, x, labels).numpy()
    yield Progress(done=step, total=task.steps, message="attacking")
    broken = broken_radius(net, x, labels).numpy()
    few, their = x[:PROBE], labels[:PROBE]
    yield Checkpoint(
        step=step, steps=task.steps, train_eps=eps, loss=loss, clean=float((certified >= 0).mean()),
        certified=float((certified >= method.train_eps).mean()), attacked=float((broken > method.train_eps).mean()),
        tightness=global_tightness(net), local_tightness=float(local_tightness(net, few, their).mean()),
        certified_radius=certified, broken_radius=broken, weights=net.arrays(), images=x.numpy(), labels=labels.numpy(),
        extra=dict(method.extra(net, few, their, eps)))


def look(events: Sequence[Event], look: Look) -> Inspected:
    """One image and one radius at one checkpoint: a forward of bounds for all test images and some of points, about 10 ms.

    Raises: BadValue for an image or a moment that is not there.
    """
    found = [event for event in events if isinstance(event, Checkpoint)]
    if not found:
        raise bad_value("moment", look.moment, "nothing has been judged yet")
    if look.moment >= len(found):
        raise bad_value("moment", look.moment, f"a whole number from -1 to {len(found) - 1}")
    moment = look.moment % len(found)
    at = found[moment]
    if look.image >= len(at.labels):
        raise bad_value("image", look.image, f"a whole number from 0 to {len(at.labels) - 1}")
    net, x, labels = Net.of(at.weights), torch.from_numpy(at.images), torch.from_numpy(at.labels)
    one, label = x[look.image], int(labels[look.image])
    margins = worst_margin(net, x, labels, look.eps).numpy()
    state = _states(at, look.eps)
    seen = region(net, one, label, look.eps)
    attacked, _ = pgd(net, one.unsqueeze(0), labels[[look.image]], torch.tensor([look.eps], dtype=x.dtype))
    read_as = int(net.logits(attacked)[0].argmax())
    if state[look.image] == UNKNOWN and (read_as != label or float(seen.leads.min()) < 0):
        state[look.image] = BROKEN              # what is on the screen was found at this very radius; the search before was coarser
    side = math.isqrt(x.shape[1])
    propagated = float(seen.ibp_radius[-1])
    return Inspected(
        eps=look.eps, image=look.image, moment=moment, moments=len(found), step=at.step, label=label,
        read_as=read_as, clean=at.clean,
        attacked=float((at.broken_radius > look.eps).mean()), certified=float((state == SAFE).mean()),
        tightness=at.tightness, local_tightness=at.local_tightness,
        reached_share=float(seen.reached_radius[-1]) / propagated if propagated > ROUNDING else 1.0,
        verdict=("certified", "unknown", "broken", "wrong")[int(state[look.image])],
        rivals=seen.rivals, leads=seen.leads.numpy(), lead_box=torch.cat(tuple(seen.lead_box)).numpy(),
        ibp_radius=seen.ibp_radius.numpy(), reached_radius=seen.reached_radius.numpy(), margins=margins, state=state, labels=at.labels,
        original=one.reshape(side, side).numpy(), attacked_image=attacked.reshape(side, side).numpy(),
        history=_history(found, look.eps), checkpoint=at, extra=at.extra)


def _states(at: Checkpoint, eps: float) -> np.ndarray:
    """SAFE, UNKNOWN, BROKEN or WRONG for every test image, from what was proved and broken when the network was judged."""
    state = np.where(at.broken_radius <= eps, BROKEN, UNKNOWN)
    state[at.certified_radius >= eps] = SAFE
    state[at.certified_radius < 0] = WRONG
    return state


def _history(found: Sequence[Checkpoint], eps: float) -> History:
    def over(read: Any) -> np.ndarray:
        return np.array([read(c) for c in found], np.float64)

    return History(
        step=over(lambda c: c.step), train_eps=over(lambda c: c.train_eps), clean=over(lambda c: c.clean),
        attacked=over(lambda c: (c.broken_radius > eps).mean()), certified=over(lambda c: (c.certified_radius >= eps).mean()),
        tightness=over(lambda c: c.tightness), local_tightness=over(lambda c: c.local_tightness))


def summary(events: Sequence[Event]) -> dict[str, int | float | str]:
    """The newest network's numbers and, where it was looked at, those at that radius."""
    found = [event for event in events if isinstance(event, Checkpoint)]
    if not found:
        return {}
    last = found[-1]
    numbers: dict[str, int | float | str] = {"step": last.step, "test_images": len(last.labels), "clean": last.clean,
                                             "tightness": last.tightness, "local_tightness": last.local_tightness}
    seen = [event for event in events if isinstance(event, Inspected)]
    if seen:
        numbers |= {"eps": seen[-1].eps, "certified": seen[-1].certified, "attacked": seen[-1].attacked,
                    "reached_share": seen[-1].reached_share}
    return numbers


def guarantee(method: Method, problem: Any, events: Sequence[Event]) -> Guarantee:
    """The method's own: a proof is a proof, however the network was trained."""
    return method.guarantee
