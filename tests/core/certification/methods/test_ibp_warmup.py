"""The gain of the initialization, boxes that do not explode, the penalties by hand, and a quick training that proves more."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch

from core.certification.nets import gaussian
from glasshouse import runs
from glasshouse.families.certification.certificate import input_box
from glasshouse.families.certification.methods.ibp_warmup import IBPWarmup, penalized
from glasshouse.families.certification.training import Bounded, spread
from glasshouse.numerics.interval_bounds import Box, linear, relu, worst_case_loss
from glasshouse.schema.events.certification import Checkpoint


@cache
def trained(**knobs: Any) -> tuple[Checkpoint, ...]:
    session = runs.open("certification.ibp-warmup", "digits", seed=0, steps=200, **knobs)
    return tuple(e for e in session.events() if isinstance(e, Checkpoint))


@pytest.mark.parametrize("n", [20, 100, 400])
def test_the_gain_of_the_initialization_is_one(n: int) -> None:
    """E|w| fan_in / 2 = 1 for std sqrt(2 pi) / fan_in, whatever the width; kaiming's is sqrt(n / pi)."""
    draws = 200_000
    w = gaussian(n, draws)
    gain = (w * spread("ibp", n, n)).abs().mean() * n / 2
    standard_error = 0.76 / draws**0.5
    assert float(gain) == pytest.approx(1, abs=4 * standard_error)
    assert float((w * spread("kaiming", n, n)).abs().mean() * n / 2) == pytest.approx((n / torch.pi) ** 0.5, rel=4 * standard_error)


def growth(scheme: str, depth: int = 5, n: int = 256) -> float:
    """Mean radius before the last ReLU over that before the first, for values symmetric about 0: what the gain is derived for."""
    grown = []
    for seed in range(5):
        box = Box.around(gaussian(seed, 50, n), 0.01)
        radii = []
        for layer in range(depth):
            box = linear(box, gaussian(100 * seed + layer + 1, n, n) * spread(scheme, n, n))  # type: ignore[arg-type]
            radii.append(float(box.radius.mean()))
            box = relu(box)
        grown.append((radii[-1] / radii[0]) ** (1 / (depth - 1)))
    return sum(grown) / len(grown)


def test_boxes_keep_their_size_with_it_and_explode_without() -> None:
    assert growth("ibp") == pytest.approx(1, abs=0.1)
    assert growth("kaiming") == pytest.approx((256 / torch.pi) ** 0.5, rel=0.1)
    assert growth("xavier") == pytest.approx((256 / (2 * torch.pi)) ** 0.5, rel=0.1)


def test_on_digits_the_untrained_box_explodes_only_with_the_usual_weights() -> None:
    def radius(scheme: str) -> float:
        session = runs.open("certification.ibp-warmup", "digits", initialization=scheme, batch_norm=False, depth=5, width=96, moment=0)
        next(e for e in session.events() if isinstance(e, Checkpoint))
        seen = session.look(eps=0.05)
        session.close()
        return float(seen.ibp_radius[5] / seen.ibp_radius[1])  # type: ignore[attr-defined]

    assert radius("ibp") < 3
    assert radius("kaiming") > 100 * radius("ibp")


def test_the_penalized_ratios_by_hand() -> None:
    """Two units surely on (centres 2, 4), one surely off (-3), one that may be either."""
    start = Box.around(torch.zeros(1, 5, dtype=torch.float64), 0.1)
    box = Box(torch.tensor([[1.0, 3.0, -4.0, -1.0]], dtype=torch.float64), torch.tensor([[3.0, 5.0, -2.0, 2.0]], dtype=torch.float64))
    (row,) = penalized(start, [box]).tolist()
    mean = (2 + 4 - 3 + 0.5) / 4
    on, off = (2 - mean) ** 2 + (4 - mean) ** 2, (-3 - mean) ** 2
    assert row == pytest.approx([0.1 / ((1 + 1 + 1 + 1.5) / 4), 3 / 6, min(on, off) / max(on, off)])


def test_the_loss_adds_them_below_a_half_and_fades_with_the_radius() -> None:
    start = Box.around(torch.zeros(1, 5), 0.1)
    box = Box(torch.tensor([[1.0, 3.0, -4.0, -1.0]]), torch.tensor([[3.0, 5.0, -2.0, 2.0]]))
    bounded = Bounded(start, (box, box), torch.tensor([[0.0, 2.0, 1.0]]))
    ratios = penalized(start, [box])[0]
    bound = float(worst_case_loss(bounded.margin).mean())
    method = IBPWarmup(penalty=0.5, train_eps=0.2)
    added = float(((0.5 - ratios).clamp_min(0) / 0.5).sum())
    assert added > 0.5
    assert float(method.loss(bounded, 0.1)) == pytest.approx(bound + 0.5 * (1 - 0.1 / 0.2) * added)
    assert float(method.loss(bounded, 0.2)) == pytest.approx(bound)
    assert float(IBPWarmup(penalty=0.0, train_eps=0.2).loss(bounded, 0.1)) == pytest.approx(bound)


def test_layers_without_units_on_or_off_are_no_nan() -> None:
    start = Box.around(torch.zeros(2, 3), 0.1)
    wide = Box(torch.full((2, 4), -1.0), torch.full((2, 4), 1.0)).lower.requires_grad_()
    ratios = penalized(start, [Box(wide, wide + 2)])
    ratios.sum().backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(ratios).all()
    assert ratios[0, 1:].tolist() == [0, 0]
    assert wide.grad is not None
    assert torch.isfinite(wide.grad).all()


@pytest.mark.long
def test_with_the_mends_more_is_proved_after_as_many_steps() -> None:
    """At the same short schedule; and the untrained boxes stay small."""
    mended, plain = trained()[-1], trained(initialization="kaiming", batch_norm=False, penalty=0.0)[-1]
    assert mended.certified > plain.certified + 0.1
    assert mended.clean > plain.clean + 0.05
    assert mended.certified > 0.35


def test_its_views_say_what_the_bounds_of_its_weights_are() -> None:
    """On a layer where every state is known: the first, whose bounds are exact."""
    last = trained()[-1]
    x = torch.from_numpy(last.images[:128])
    weight, bias = (torch.from_numpy(a).double() for a in last.weights[:2])
    box = linear(input_box(x, 0.1), weight, bias)
    on, off, either = last.extra["units"][:, 0]
    assert on == pytest.approx(float((box.lower > 0).double().mean()))
    assert off == pytest.approx(float((box.upper < 0).double().mean()))
    assert on + off + either == pytest.approx(1)
    assert last.extra["ratios"].shape == (3, 3)


def test_the_schedule_is_a_line_then_flat() -> None:
    method = IBPWarmup(train_eps=0.2, warmup=0.5)
    assert [method.radius(s) for s in (0, 0.25, 0.5, 1.0)] == pytest.approx([0, 0.1, 0.2, 0.2])
