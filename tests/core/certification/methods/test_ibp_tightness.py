"""Boxes tighten when they are trained on, ordinary training leaves them loose, and accuracy pays: the paper's claims, on real digits."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from glasshouse import runs
from glasshouse.families.certification.attack import lead, pgd
from glasshouse.families.certification.methods.ibp_tightness import IBPTightness
from glasshouse.families.certification.network import Net
from glasshouse.schema.events.certification import Checkpoint


@cache
def trained(seed: int = 0, **knobs: Any) -> tuple[Checkpoint, ...]:
    session = runs.open("certification.ibp-tightness", "digits", seed=seed, steps=300, **knobs)
    return tuple(e for e in session.events() if isinstance(e, Checkpoint))


@pytest.mark.long
def test_training_on_boxes_makes_them_tight_and_ordinary_training_does_not() -> None:
    boxed, ordinary = trained(), trained(standard_share=1.0)
    assert boxed[-1].local_tightness > 5 * boxed[0].local_tightness
    assert boxed[-1].tightness > 3 * boxed[0].tightness
    assert boxed[-1].local_tightness > 3 * ordinary[-1].local_tightness
    at_turn = next(c for c in boxed if c.train_eps > 0)
    assert boxed[-1].local_tightness > 3 * at_turn.local_tightness


def test_what_can_be_proved_is_paid_for_with_accuracy() -> None:
    boxed, ordinary = trained(), trained(standard_share=1.0)
    assert ordinary[-1].clean > boxed[-1].clean + 0.02
    assert boxed[-1].certified > 0.3
    assert ordinary[-1].certified < 0.02


def test_at_initialization_wide_and_deep_networks_have_looser_boxes() -> None:
    def untrained(**knobs: Any) -> float:
        session = runs.open("certification.ibp-tightness", "digits", **knobs)
        first = next(e for e in session.events() if isinstance(e, Checkpoint))
        session.close()
        return first.local_tightness

    narrow, middle, wide = (untrained(width=w) for w in (8, 32, 128))
    assert narrow > 1.3 * middle > 1.3 * 1.3 * wide
    shallow, deep, deeper = (untrained(depth=d) for d in (1, 3, 5))
    assert shallow > 2 * deep > 4 * deeper


@pytest.mark.long
def test_larger_training_boxes_make_tighter_ones() -> None:
    small, large = trained(train_eps=0.03)[-1], trained()[-1]
    assert large.local_tightness > 1.1 * small.local_tightness


@pytest.mark.parametrize("knobs", [{}, {"standard_share": 1.0}])
def test_certified_accuracy_is_never_above_accuracy_under_an_attack_of_its_own(knobs: dict[str, Any]) -> None:
    """Forty steps, from random starts: much stronger than the one in the loop."""
    last = trained(**knobs)[-1]
    net, x, labels = Net.of(last.weights), torch.from_numpy(last.images), torch.from_numpy(last.labels)
    generator = torch.Generator().manual_seed(0)
    for eps in (0.02, 0.05, 0.1):
        spared = torch.ones(len(x), dtype=torch.bool)
        for _ in range(2):
            begin = (x + eps * (2 * torch.rand(x.shape, generator=generator, dtype=x.dtype) - 1)).clamp(0, 1)
            spared &= lead(net.logits(begin), labels)[0] >= 0
        _, least = pgd(net, x, labels, torch.full((len(x),), eps, dtype=x.dtype), steps=40)
        spared &= least >= 0
        certified = torch.from_numpy(last.certified_radius) >= eps
        assert bool((certified <= spared).all())
        assert spared.double().mean() <= last.clean


def test_the_schedule_is_ordinary_then_a_line_then_flat() -> None:
    method = IBPTightness(train_eps=0.2, standard_share=0.2, growing_share=0.4)
    assert [method.radius(s) for s in (0, 0.2, 0.4, 0.6, 1.0)] == pytest.approx([0, 0, 0.1, 0.2, 0.2])
    assert IBPTightness(standard_share=1.0).radius(1.0) == 0
    assert IBPTightness(growing_share=0.0, standard_share=0.5).radius(0.51) == 0.1


def test_its_own_view_is_the_share_of_paths_that_do_not_cancel() -> None:
    last = trained()[-1]
    weights = [w.astype(np.float64) for w in last.weights[::2]]
    product, sizes = np.linalg.multi_dot(weights[::-1]), np.linalg.multi_dot([abs(w) for w in weights[::-1]])
    np.testing.assert_allclose(last.extra["agreement"], abs(product) / sizes, atol=1e-5)
    assert 0 <= last.extra["agreement"].min() <= last.extra["agreement"].max() <= 1
