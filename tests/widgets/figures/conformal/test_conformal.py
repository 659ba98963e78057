"""Pictures of conformal prediction, read back against the event they show."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from glasshouse.schema.events.conformal import Calibrated, Resplits, Sets
from glasshouse_widgets.figures import conformal
from glasshouse_widgets.figures.conformal.grid import COLUMNS, ROWS
from glasshouse_widgets.figures.palette import DARK, LIGHT, POINTS, Theme

N, M, K = 50, 70, 10


def sets(alpha: float = 0.2, image: int = 0, images: bool = True, threshold: float | None = None) -> Sets:
    """Made from scores drawn once; the sets are those whose score is at most the threshold."""
    rng = np.random.default_rng(3)
    calibration, test, labels = np.sort(rng.random(N)), rng.random((M, K)), rng.integers(0, K, M)
    pixels = rng.integers(0, 256, (M, 8, 8)).astype(np.uint8) if images else np.empty((0, 0, 0), np.uint8)
    k = int(np.ceil((N + 1) * (1 - alpha) - 1e-9))
    limit = threshold if threshold is not None else float(calibration[k - 1]) if k <= N else float("inf")
    inside = test <= limit
    calibrated = Calibrated(n=N, m=M, classes=K, scores=calibration, test_scores=test, labels=labels, images=pixels,
                            ranks=np.searchsorted(calibration, test).astype(np.int64), cells="all", cell_n=np.array([N]), cell=np.zeros((M, K), int),
                            cell_names=("all",), cell_scores=(calibration,), group=np.zeros(M, int), group_names=("all",))
    p = (1 + (calibration[None, :] >= test[image][:, None]).sum(axis=1)) / (N + 1)
    return Sets(alpha=alpha, k=k, threshold=limit, coverage=float(inside[np.arange(M), labels].mean()), band_low=0.7, band_high=0.95,
                mean_size=float(inside.sum(1).mean()), full_because="", sets=inside, sizes=inside.sum(1), calibrated=calibrated,
                image=image, p_values=p)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("event", [sets(), sets(0.01, image=69), sets(images=False), sets(threshold=float("inf")), sets(threshold=-1.0)])
def test_plotly_takes_them(event: Sets, theme: Theme) -> None:
    for figure in (conformal.prediction_sets(event, theme), conformal.scores(event, theme), conformal.p_values(event, theme),
                   conformal.covered(event, None, theme), conformal.sizes(event, event, theme)):
        go.Figure(figure)
        assert sum(np.size(trace.get("z", trace.get("x", []))) for trace in figure["data"]) <= POINTS


def test_chips_are_the_sets_with_the_truth_always_there() -> None:
    event = sets()
    chips = conformal.prediction_sets(event, LIGHT)["data"][1]
    for image in range(COLUMNS * ROWS):
        shown = [t for t, owner in zip(chips["text"], chips["customdata"], strict=True) if owner == image]
        labels = {int(t.removeprefix("<u>").removesuffix("</u>")) for t in shown}
        assert labels == set(np.flatnonzero(event.sets[image]).tolist()) | {int(event.calibrated.labels[image])}
        assert [t for t in shown if t.startswith("<u>")] == [f"<u>{event.calibrated.labels[image]}</u>"]


def test_the_most_plausible_label_comes_first() -> None:
    event = sets(0.05)
    chips = conformal.prediction_sets(event, LIGHT)["data"][1]
    first = int(next(t for t, owner in zip(chips["text"], chips["customdata"], strict=True) if owner == 0).strip("<>u/"))
    assert first == int(event.calibrated.test_scores[0].argmin())


def test_missed_truths_are_framed() -> None:
    event = sets()
    frames = conformal.prediction_sets(event, LIGHT)["data"][2]
    missed = sum(not event.sets[i, event.calibrated.labels[i]] for i in range(COLUMNS * ROWS))
    assert frames["x"].count(None) == missed > 0


def test_the_page_turns_to_the_chosen_image() -> None:
    grid = conformal.prediction_sets(sets(image=40), LIGHT)
    assert set(grid["data"][1]["customdata"]) == set(range(32, 64))
    assert grid["data"][0]["customdata"].max() == 63
    assert conformal.prediction_sets(sets(image=69), LIGHT)["data"][0]["customdata"].max() == M - 1


def test_images_stand_where_their_numbers_say() -> None:
    event = sets()
    picture = conformal.prediction_sets(event, LIGHT)["data"][0]
    for image in (0, 7, 8, 31):
        assert np.array_equal(picture["z"][picture["customdata"] == image].reshape(8, 8), event.calibrated.images[image])
    assert np.isnan(picture["z"][picture["customdata"] == -1]).all()


def test_the_threshold_parts_the_histogram() -> None:
    event = sets()
    bars, line = conformal.scores(event, LIGHT)["data"]
    assert int(np.sum(bars["y"])) == N
    assert line["x"][0] == pytest.approx(event.threshold)
    below = [color == LIGHT.accent for color in bars["marker"]["color"]]
    assert below == (np.asarray(bars["x"]) <= event.threshold).tolist()


def test_labels_above_alpha_are_the_set() -> None:
    event = sets()
    bars = conformal.p_values(event, LIGHT)["data"][0]
    solid = [shape == "" for shape in bars["marker"]["pattern"]["shape"]]
    assert solid == (event.p_values > event.alpha).tolist() == event.sets[0].tolist()


def test_axes_stay_while_alpha_moves() -> None:
    for draw in (conformal.prediction_sets, conformal.p_values, conformal.scores):
        one, two = (draw(sets(alpha), LIGHT)["layout"] for alpha in (0.1, 0.4))
        assert all(one[axis]["range"] == two[axis]["range"] for axis in ("xaxis", "yaxis"))
        assert len(draw(sets(0.1), LIGHT)["data"]) == len(draw(sets(0.4), LIGHT)["data"])


def test_other_splits_stand_above_the_band() -> None:
    event = sets()
    coverage = np.full((40, N + 2), 0.85)
    studied = Resplits(done=40, total=100, n=N, m=M, coverage=coverage, mean_size=coverage)
    bars = conformal.covered(event, studied, LIGHT)["data"][0]
    assert np.count_nonzero(bars["y"]) == 1
    at = float(bars["x"][int(np.argmax(bars["y"]))])
    assert abs(at - 0.85) <= bars["width"]


def test_sizes_sum_to_all() -> None:
    bars = conformal.sizes(sets(), None, LIGHT)["data"][0]
    assert float(np.sum(bars["y"])) == pytest.approx(100)
