"""Pictures of certified training, read back against the event they show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from glasshouse.schema.events.certification import BROKEN, SAFE, UNKNOWN, WRONG, Checkpoint, History, Inspected
from glasshouse_widgets.figures import certification
from glasshouse_widgets.figures.certification.region import _eased, _hull
from glasshouse_widgets.figures.palette import DARK, LIGHT, Theme

M, MOMENTS = 60, 5


def inspected(eps: float = 0.1, image: int = 7, wide: float = 1.0, hidden: int = 3, moment: int = 4) -> Inspected:
    """Made by hand: certified radii rise to 0.3, a quarter is never broken, the first four are misread."""
    rng = np.random.default_rng(0)
    certified = np.r_[np.full(4, -1.0), np.linspace(0, 0.3, M - 4)]
    broken = np.where(certified < 0, 0.0, certified + 0.05)
    broken[-M // 4:] = np.inf
    state = np.where(broken <= eps, BROKEN, UNKNOWN)
    state[certified >= eps] = SAFE
    state[certified < 0] = WRONG
    leads = np.array([3.0, 4.0]) + rng.uniform(-1, 1, (300, 2))
    leads[0] = 3, 4
    line = np.linspace(0, 1, MOMENTS)
    history = History(step=line * 100, train_eps=np.maximum(line - 0.3, 0), clean=0.5 + line / 2, attacked=line / 1.2, certified=line / 1.5,
                      tightness=line / 3, local_tightness=line)
    checkpoint = Checkpoint(
        step=100, steps=100, train_eps=0.1, loss=1.0, clean=0.9, certified=0.6, attacked=0.7, tightness=0.3, local_tightness=0.8,
        certified_radius=certified, broken_radius=broken, weights=(), images=rng.random((M, 64)), labels=np.zeros(M, np.int64))
    verdict: Any = ("certified", "unknown", "broken", "wrong")[int(state[image])]
    return Inspected(
        eps=eps, image=image, moment=moment, moments=MOMENTS, step=int(history.step[moment]), label=7, read_as=1, clean=0.9,
        attacked=float((broken > eps).mean()), certified=float((state == SAFE).mean()), tightness=0.3, local_tightness=0.8, reached_share=0.7,
        verdict=verdict, rivals=(1, 9), leads=leads, lead_box=np.array([[3 - 2 * wide, 4 - 2 * wide], [3 + 2 * wide, 4 + 2 * wide]]),
        ibp_radius=eps * np.geomspace(1, 10, hidden + 2), reached_radius=eps * np.geomspace(1, 5, hidden + 2), margins=rng.normal(size=M),
        state=state, labels=np.zeros(M, np.int64), original=rng.random((8, 8)), attacked_image=rng.random((8, 8)), history=history,
        checkpoint=checkpoint)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("seen", [inspected(), inspected(0.0), inspected(0.5, image=0), inspected(wide=100), inspected(hidden=1)])
def test_plotly_takes_them(valid: Callable[[dict[str, Any]], dict[str, Any]], seen: Inspected, theme: Theme) -> None:
    other = inspected(hidden=5)
    for figure in (certification.region(seen, theme), certification.region(seen, theme, narrow=True), certification.pair(seen, theme),
                   certification.layers(seen, other, theme), certification.layers(seen, None, theme), certification.radii(seen, theme),
                   certification.accuracies(seen, None, theme), certification.accuracies(seen, other, theme),
                   certification.tightness(seen, other, theme)):
        valid(figure)


def test_the_square_is_the_box_and_the_star_the_image() -> None:
    seen = inspected()
    _, box, dots, outline, star = certification.region(seen, LIGHT)["data"]
    assert (min(box["x"]), max(box["x"]), min(box["y"]), max(box["y"])) == (1, 5, 2, 6)
    assert (star["x"][0], star["y"][0]) == (3, 4)
    assert len(dots["x"]) == len(seen.leads) - 1
    assert min(outline["x"]) == pytest.approx(seen.leads[:, 0].min())
    assert max(outline["y"]) == pytest.approx(seen.leads[:, 1].max())


def test_the_axes_do_not_move_with_eps_and_a_box_beyond_them_is_told() -> None:
    small, large = certification.region(inspected(0.02), LIGHT), certification.region(inspected(0.3, wide=50), LIGHT)
    for name in ("xaxis", "yaxis"):
        assert small["layout"][name]["range"] == large["layout"][name]["range"]
    assert not any("goes on" in a["text"] for a in small["layout"]["annotations"])
    assert any("-97 to 103" in a["text"] for a in large["layout"]["annotations"])
    one, two = inspected(0.02), inspected(0.3)
    for a, b in ((certification.radii(one, LIGHT), certification.radii(two, LIGHT)),
                 (certification.layers(one, None, LIGHT), certification.layers(two, None, LIGHT))):
        assert a["layout"]["yaxis"]["range"] == b["layout"]["yaxis"]["range"]


@pytest.mark.parametrize(("image", "word"), [(59, "✓ certified"), (20, "? not known"), (5, "✕ broken"), (0, "✕ misread")])
def test_the_verdict_is_said(image: int, word: str) -> None:
    assert word in certification.region(inspected(0.1, image=image), LIGHT)["layout"]["annotations"][0]["text"]


def test_only_the_line_moves_among_the_images() -> None:
    low, high = certification.radii(inspected(0.05), LIGHT)["data"], certification.radii(inspected(0.2), LIGHT)["data"]
    assert low[4]["y"] == [0.05] * 2
    assert high[4]["y"] == [0.2] * 2
    for a, b in zip(low[1:4], high[1:4], strict=True):
        assert np.array_equal(a["y"], b["y"])
    seen = inspected()
    assert sorted([*low[2]["customdata"].tolist(), *low[3]["customdata"].tolist()]) == list(range(M))
    for number, y in zip(low[2]["customdata"].tolist(), low[2]["y"].tolist(), strict=True):
        assert y == pytest.approx(min(seen.checkpoint.certified_radius[number], 0.4))
    assert len(low[3]["x"]) == 4
    at = low[5]["x"][0]
    assert low[2]["customdata"][low[2]["x"].tolist().index(at)] == seen.image


def test_curves_are_the_history_and_the_line_stands_where_one_looks() -> None:
    seen = inspected(moment=2)
    figure = certification.accuracies(seen, inspected(), LIGHT)
    assert np.allclose(figure["data"][2]["y"], seen.history.certified * 100)
    assert figure["layout"]["shapes"][0]["x0"] == seen.step == 50
    assert figure["layout"]["shapes"][1]["x0"] == 50, "the first step whose boxes have a radius"
    assert len(figure["data"]) == 4


def test_the_hull_holds_every_point_and_turns_one_way() -> None:
    points = np.random.default_rng(1).normal(size=(200, 2))
    hull = _hull(points)
    assert np.array_equal(hull[0], hull[-1])
    edge = np.diff(hull, axis=0)
    for point in points:
        to = point - hull[:-1]
        assert (edge[:, 0] * to[:, 1] - edge[:, 1] * to[:, 0] >= -1e-7).all()
    assert len(_hull(np.zeros((5, 2)))) == 1


def test_axes_go_in_steps() -> None:
    assert [_eased(v) for v in (0.9, 1.0, 1.2, 7, 9, 130)] == pytest.approx([1, 1, 1.5, 8, 10, 150])
    assert _eased(0.0) > 0
