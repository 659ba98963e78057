"""The decision lab's pictures: what is where, in numbers that are read back from the events."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pytest

from glasshouse.families.conformal.decisions import drive
from glasshouse.families.conformal.decisions.interface import Look
from glasshouse.families.conformal.decisions.problems import DigitLooks, Tiny
from glasshouse.families.conformal.methods.decisions.conformal_abstention import ConformalAbstention
from glasshouse.families.conformal.methods.decisions.sgr import SGR
from glasshouse.families.conformal.methods.decisions.window_exit import WindowExit
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.conformal_decisions import Cascaded, Decisions, Selected, Walked
from glasshouse_widgets.figures.conformal import decided, decisions
from glasshouse_widgets.figures.palette import DARK, LIGHT, POINTS


@lru_cache(maxsize=16)
def events(method: object, problem: object) -> tuple[object, ...]:
    return tuple(drive.drive(method, problem, Seeds(0)))  # type: ignore[arg-type]


def seen(method: object, problem: object | None = None, **looks: float) -> Decisions:
    return drive.look(events(method, problem or DigitLooks()), Look(**looks))  # type: ignore[arg-type]


def cascaded(**looks: float) -> Cascaded:
    found = seen(WindowExit(), **looks)
    assert isinstance(found, Cascaded)
    return found


def walked(**looks: float) -> Walked:
    found = seen(ConformalAbstention(steps=40), **looks)
    assert isinstance(found, Walked)
    return found


def selected(**looks: float) -> Selected:
    found = seen(SGR(), **looks)
    assert isinstance(found, Selected)
    return found


EVERY = [cascaded, walked, selected, lambda: selected(limit=0.01), lambda: selected(limit=0.9),
         lambda: seen(SGR(search="fixed sequence"), Tiny()), lambda: seen(WindowExit(), Tiny()),
         lambda: seen(ConformalAbstention(protocol="certified", steps=8), Tiny()),
         lambda: seen(ConformalAbstention(box="wide", steps=8), Tiny()), lambda: cascaded(half_width=0.0), lambda: cascaded(half_width=1.0)]


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("draw", [decisions.stage, decided.strip, decided.one])
def test_every_picture_is_small_and_says_its_axes(make: object, draw: object) -> None:
    for theme in (LIGHT, DARK):
        figure = draw(make(), theme)  # type: ignore[operator]
        assert figure["data"]
        points = sum(np.size(t.get("z", t.get("x", []))) for t in figure["data"])
        assert points <= POINTS
        for name, axis in figure["layout"].items():
            if name.startswith(("xaxis", "yaxis")) and axis.get("showticklabels", True):
                assert axis["title"]["text"], name
                assert axis["range"], name


@pytest.mark.parametrize("draw", [decisions.stage, decided.strip, decided.one])
def test_traces_and_words_stay_as_many_while_looks_move(draw: object) -> None:
    for frames in ([cascaded(coverage=c, half_width=w, image=i) for c, w, i in ((0.05, 0.0, 0), (0.6, 0.1, 440), (1.0, 1.0, 3))],
                   [walked(step=s, image=i) for s, i in ((0, 0), (4, 440), (-1, 7))],
                   [selected(limit=r, step=s) for r, s in ((0.01, -1), (0.1, 0), (0.1, 4), (0.2, -1))]):
        figures = [draw(f, LIGHT) for f in frames]  # type: ignore[operator]
        assert len({len(f["data"]) for f in figures}) == 1
        assert len({len(f["layout"].get("annotations", [])) for f in figures}) == 1
        assert len({str(f["layout"]["xaxis"]["range"]) for f in figures}) == 1


def test_the_plane_carries_the_four_curves_and_the_place() -> None:
    one = cascaded(coverage=0.5, half_width=0.1)
    data = decisions.stage(one, LIGHT)["data"]
    for trace, curve in zip(data[:4], one.curves, strict=True):
        assert trace["x"][-1] == 100
        assert trace["y"][-1] == pytest.approx(100 * curve[-1])
    assert data[4]["x"] == [100 * one.coverage] * 2
    assert data[5]["y"].tolist() == pytest.approx((100 * one.risks).tolist())
    band = decisions.stage(one, LIGHT)["layout"]["shapes"][0]
    assert (band["x0"], band["x1"]) == pytest.approx((40, 60))
    assert data[8]["x"][0] == one.cost
    assert len({t["line"]["dash"] for t in data[:4]} | {t["line"]["color"] for t in data[:4]}) >= 6, "two channels"


def test_the_limits_picture_shows_bounds_tests_and_what_then_happens() -> None:
    one = selected(limit=0.15)
    data = decisions.stage(one, LIGHT)["data"]
    assert data[1]["y"].tolist() == pytest.approx((100 * one.certificates.bounds).tolist())
    assert data[2]["y"] == [15, 15]
    assert data[3]["marker"]["symbol"] == ["circle" if one.certificates.bounds[k - 1] < 0.15 else "x" for k in one.tried.tolist()]
    assert (data[5]["x"][0], data[5]["y"][0]) == pytest.approx((100 * one.coverage, 100 * one.risk))
    assert (data[-1]["x"][0], data[-1]["y"][0]) == pytest.approx((15, 100 * one.share))
    step = {round(x): y for x, y in zip(data[6]["x"].tolist(), data[6]["y"].tolist(), strict=True)}
    assert step[15] == pytest.approx(100 * one.share)


def test_the_surface_lies_as_its_axes_say() -> None:
    one = walked()
    data = decisions.stage(one, LIGHT)["data"]
    grid = next(t for t in data if t["type"] == "heatmap")
    surface = one.now.surface
    assert np.shape(grid["z"]) == (len(surface.betas), len(surface.alphas))
    b, a = np.unravel_index(np.argmin(grid["z"]), np.shape(grid["z"]))
    assert (grid["x"][a], grid["y"][b]) == (surface.best_alpha, surface.best_beta)
    assert (data[-1]["x"][1], data[-1]["y"][1]) == (surface.best_alpha, surface.best_beta)
    assert (data[-1]["x"][2], data[-1]["y"][2]) == (one.now.alpha, one.now.beta)


def test_a_certificate_reaches_from_the_risk_to_the_bound() -> None:
    one = seen(ConformalAbstention(protocol="certified", steps=8))
    assert isinstance(one, Walked)
    figure = decisions.stage(one, LIGHT)
    bar = next(t for t in figure["data"] if "error_y" in t)
    assert bar["error_y"]["visible"]
    assert bar["y"][0] + bar["error_y"]["array"][0] == pytest.approx(100 * one.now.bound)
    assert f"{100 * one.now.bound:.1f} %" in figure["layout"]["annotations"][0]["text"]
    assert not next(t for t in decisions.stage(walked(), LIGHT)["data"] if "error_y" in t)["error_y"]["visible"]


def test_the_strip_shows_images_under_their_decision_and_always_the_chosen_one() -> None:
    for one in (cascaded(image=444), walked(image=444), selected(image=444)):
        figure = decided.strip(one, LIGHT)
        said = figure["data"][1]
        rows = np.array(said["y"]) // decided.HIGH // max(decided.LINES // len(one.names), 1)
        for image, row in zip(said["customdata"], rows.tolist(), strict=True):
            assert one.decision[image] == row
        assert 444 in said["customdata"]
        for image, text in zip(said["customdata"], said["text"], strict=True):
            assert text.startswith("✕") == (bool(one.answers[image].any()) and not one.right[image])
            assert (text == "–") == (not one.answers[image].any())
        shares = [float(a["text"].split("<br>")[-1].split(" %")[0]) for a in figure["layout"]["annotations"]]
        assert sum(shares) == pytest.approx(100, abs=len(shares))


def test_long_sets_are_counted_not_written_out() -> None:
    one = walked(step=0)
    texts = decided.strip(one, LIGHT)["data"][1]["text"]
    assert max(map(len, texts)) <= 6
    assert any("+" in t for t in texts)


def test_the_line_of_one_image_is_the_threshold() -> None:
    w, c = walked(), cascaded()
    assert decided.one(w, LIGHT)["data"][-1]["y"][0] == pytest.approx(1 - w.now.q_silent)
    assert decided.one(c, LIGHT)["data"][-1]["y"][0] == c.threshold
    sets = np.flatnonzero((w.decision == 1) & (w.answers.sum(axis=1) > 1))
    at = walked(image=int(sets[0]))
    bars = decided.one(at, LIGHT)["data"][0]["y"]
    assert set(np.flatnonzero(bars >= 1 - w.now.q_silent)) == set(np.flatnonzero(at.answers[sets[0]]))


def test_an_infinite_threshold_draws_a_line_at_nothing() -> None:
    last = events(ConformalAbstention(steps=1, protocol="certified"), Tiny())[-1]
    found = drive.look([last.__class__(**{**vars(last), "q_silent": math.inf})], Look())  # type: ignore[list-item]
    assert decided.one(found, LIGHT)["data"][-1]["y"][0] == 0.0
