"""Pictures of detectors and rules, read back against the sets they show."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.schema.events.conformal_rules import Attacked, RobustSets
from glasshouse_widgets.figures.conformal import rules
from glasshouse_widgets.figures.palette import DARK, LIGHT, VERMILION, Theme

Check = Callable[[dict[str, Any]], dict[str, Any]]
DRAWN = (rules.circuit, rules.sizes, rules.covered, rules.images)


@lru_cache(maxsize=16)
def session(problem: str, values: tuple[tuple[str, Any], ...]) -> runs.Session:
    found = runs.open("conformal.colep", problem, **dict(values))
    for _ in found.events():
        pass
    return found


def seen(problem: str = "digits", looks: dict[str, Any] | None = None, **values: Any) -> RobustSets:
    event = session(problem, tuple(values.items())).look(**(looks or {}))
    assert isinstance(event, RobustSets)
    return event


def attacked(event: RobustSets, score: float, done: int = 11) -> Attacked:
    return Attacked(done=done, total=11, radii=event.reasoned.radii[:done], scores=np.full((2, done, 3, event.reasoned.m), score))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize(("problem", "values"), [
    ("digits", {}), ("tiny", {}), ("digits", {"calibration": "as published"}), ("digits", {"calibration": "one a class"}),
    ("digits", {"weight": 0.0})])
def test_plotly_takes_them(problem: str, values: dict[str, Any], theme: Theme, valid: Check) -> None:
    for looks in ({}, {"image": 29, "radius": 0.5}, {"alpha": 0.001}):
        event = seen(problem, looks, **values)
        for draw in DRAWN:
            valid(draw(event, theme))
        valid(rules.certified(event, None, theme))
        valid(rules.certified(event, attacked(event, 0.0, 4), theme))


def test_marks_stand_at_the_probabilities_and_bars_reach_over_their_intervals() -> None:
    event = seen(looks={"image": 5, "radius": 0.2})
    reasoned, data = event.reasoned, rules.circuit(event, LIGHT)["data"]
    starts, lengths = np.repeat((rules.CLASS, rules.PROPERTY), (10, 3)), np.repeat((rules.SCALE, rules.WIDE), (10, 3))
    for bar, mark, values, box in ((data[6], data[7], reasoned.before, reasoned.before_box), (data[8], data[9], reasoned.after, reasoned.after_box)):
        assert np.asarray(mark["x"]) == pytest.approx(starts + lengths * values[5])
        assert np.asarray(bar["x"][0::3]) == pytest.approx(starts + lengths * box[0, 4, 5], abs=1e-4)
        assert np.asarray(bar["x"][1::3]) == pytest.approx(starts + lengths * box[1, 4, 5], abs=1e-4)
        assert (np.asarray(bar["x"][0::3]) <= mark["x"] + 1e-4).all()


def test_every_rule_is_one_edge_and_broken_ones_are_dotted() -> None:
    event = seen(looks={"image": 0})
    edges = rules.circuit(event, LIGHT)["data"][1:5]
    assert sum(list(e["x"]).count(None) for e in edges) == 30
    p, has = event.reasoned.before[0], event.reasoned.implies
    broken = sum(p[c] >= rules.NO and (p[10 + number] if has[number, c] else 1 - p[10 + number]) < 0.5 for number in range(3) for c in range(10))
    assert list(edges[3]["x"]).count(None) == broken
    assert edges[3]["line"] == {"color": VERMILION, "width": 2.5, "dash": "dot"}


def test_chips_are_the_sets_and_the_truth_is_underlined() -> None:
    event = seen(looks={"image": 3})
    chips = rules.circuit(event, LIGHT)["data"][-1]
    assert [f != LIGHT.surface for f in chips["marker"]["color"]] == event.sets[1, 3].tolist()
    assert [w != LIGHT.surface for w in (line for line in chips["marker"]["line"]["color"])] == event.robust[1, 3].tolist()
    assert [t.startswith("<u>") for t in chips["text"]] == (np.arange(10) == event.reasoned.labels[3]).tolist()


def test_the_threshold_parts_what_is_in_the_set() -> None:
    event = seen(looks={"image": 3})
    data = rules.circuit(event, LIGHT)["data"]
    limit, after = np.asarray(data[-2]["x"])[0::3], np.asarray(data[9]["x"])[:10]
    assert (after >= limit - 1e-9).tolist() == event.sets[1, 3].tolist()
    assert np.isnan(np.asarray(rules.circuit(seen(calibration="as published"), LIGHT)["data"][-2]["x"])).all()


def test_curves_are_the_events_numbers() -> None:
    event = seen()
    for draw, values in ((rules.sizes(event, LIGHT), event.robust_sizes), (rules.certified(event, None, LIGHT), event.certified)):
        for side in (0, 1):
            assert np.asarray(draw["data"][side]["y"]) == pytest.approx(values[side])


def test_attacks_are_counted_against_the_thresholds() -> None:
    event = seen()
    for score, share in ((0.0, 1.0), (1.0, 0.0)):
        hit = rules.certified(event, attacked(event, score, 4), LIGHT)["data"][2:4]
        for trace in hit:
            assert np.asarray(trace["y"])[:4].tolist() == [share] * 4
            assert np.isnan(np.asarray(trace["y"])[4:]).all()


def test_missed_images_are_framed_and_the_page_turns() -> None:
    event = seen()
    picture, missed, chosen = rules.images(event, LIGHT)["data"]
    assert len(missed["x"]) == 6 * int((~event.sets[1, np.arange(60), event.reasoned.labels[:60]]).sum())
    assert len(chosen["x"]) == 6
    for image in (0, 19, 20, 59):
        assert np.array_equal(picture["z"][picture["customdata"] == image].reshape(8, 8), event.reasoned.images[image])
    later = rules.images(seen(looks={"image": 130}), LIGHT)["data"][0]["customdata"]
    assert {int(later.max()), int(later[later >= 0].min())} == {179, 120}


def test_axes_and_traces_stay_while_looks_move() -> None:
    for draw in DRAWN[:2]:
        one, two = (draw(seen(looks={"alpha": a, "radius": r, "image": i}), LIGHT) for a, r, i in ((0.1, 0.0, 0), (0.4, 0.45, 77)))
        assert all(one["layout"][name]["range"] == two["layout"][name]["range"] for name in ("xaxis", "yaxis"))
        assert len(one["data"]) == len(two["data"])
    event = seen()
    assert len(rules.certified(event, None, LIGHT)["data"]) == len(rules.certified(event, attacked(event, 0.5), LIGHT)["data"])
