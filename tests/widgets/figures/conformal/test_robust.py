"""Pictures of robust sets, read back against the event they show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from glasshouse.schema.events.conformal_robust import Attacked, ProvedResplits, RobustSets, Smoothed
from glasshouse_widgets.figures.conformal import robust
from glasshouse_widgets.figures.palette import DARK, LIGHT, Theme

M, K, N = 70, 10, 40
Valid = Callable[[dict[str, Any]], dict[str, Any]]


def sets(radius: float = 0.25, attack: float = 0.2, image: int = 0, images: bool = True, limit: float | None = None, computed: int = 3) -> RobustSets:
    """Made by hand: scores drawn once, every attack moves the true label's as far as it can."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, K, M)
    strange = rng.normal(1.0, 1.0, (M, K))
    strange[np.arange(M), labels] -= 2.5
    under = []
    for r in (0.0, 0.2, 0.4)[:computed]:
        moved = strange.copy()
        moved[np.arange(M), labels] += r / 0.5
        under.append(Attacked(radius=r, accuracy=0.9, used=1.0, means=ndtr(moved), variances=np.full((M, K), 0.05), plain=ndtr(moved),
                              images=rng.integers(0, 256, (M, 8, 8)).astype(np.uint8) if images else np.empty((0, 0, 0), np.uint8)))
    smoothed = Smoothed(n=N, m=M, classes=K, holdout=20, sigma=0.5, n_mc=256, error="ignored", calibration=np.linspace(0, 1, N),
                        plain_calibration=np.linspace(0, 1, N), labels=labels, radii=(0.2, 0.4), clean=under[0])
    threshold = -0.5 if limit is None else limit
    edge = threshold + radius / 0.5
    every = [ndtri(u.means) <= edge for u in under]
    plain = [u.plain <= ndtr(threshold) for u in under]
    i = int(np.argmin([abs(u.radius - attack) for u in under]))
    rows = np.arange(M)
    return RobustSets(
        alpha=0.1, beta=0.001, radius=radius, attack=under[i].radius, coverage=float(every[i][rows, labels].mean()), certified=0.5,
        clean=float(every[0][rows, labels].mean()), plain_coverage=float(plain[i][rows, labels].mean()), plain_clean=0.9,
        mean_size=float(every[i].sum(1).mean()), plain_mean_size=1.0, k=37, threshold=0.3, limit=edge, reach=radius / 0.5, band_low=0.8,
        band_high=0.95, full_because="", image=image, sets=every[i], plain_sets=plain[i], sizes=every[i].sum(1), plain_sizes=plain[i].sum(1),
        withstood=0.5 * (edge - strange[rows, labels]), radii=np.array([u.radius for u in under]),
        coverages=np.array([s[rows, labels].mean() for s in every]), plain_coverages=np.array([s[rows, labels].mean() for s in plain]),
        mean_sizes=np.array([s.sum(1).mean() for s in every]), plain_mean_sizes=np.array([s.sum(1).mean() for s in plain]),
        least=ndtri(under[i].means[image]) - 0.1, measured=ndtri(under[i].means[image]), smoothed=smoothed, under=under[i])


def drawn(seen: RobustSets, theme: Theme = LIGHT) -> list[dict[str, Any]]:
    return [robust.before_and_after(seen, theme), robust.before_and_after(seen, theme, 2), robust.survival(seen, None, theme),
            robust.reach(seen, theme), robust.sizes(seen, None, theme)]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("seen", [sets(), sets(image=69, attack=0.0), sets(images=False), sets(limit=np.inf), sets(limit=-np.inf),
                                  sets(computed=1), sets(radius=1.5)])
def test_plotly_takes_them(seen: RobustSets, theme: Theme, valid: Valid) -> None:
    for figure in (*drawn(seen, theme), robust.sizes(seen, seen, theme)):
        valid(figure)


def test_traces_and_ranges_stay_while_looks_move() -> None:
    """Else the renderers would build anew, and axes would jump."""
    first = drawn(sets())
    for other in (sets(0.9, 0.4), sets(0.0, 0.0, computed=1), sets(limit=np.inf), sets(image=20)):
        for a, b in zip(first, drawn(other), strict=True):
            assert [t["type"] for t in a["data"]] == [t["type"] for t in b["data"]]
            assert [a["layout"][k].get("range") for k in ("xaxis", "yaxis")] == [b["layout"][k].get("range") for k in ("xaxis", "yaxis")]


def test_chips_are_both_sets_with_the_truth_always_there() -> None:
    seen = sets()
    chips = robust.before_and_after(seen, LIGHT)["data"][1]
    for image in range(robust.COLUMNS * robust.ROWS):
        for shape, held in (("square", seen.plain_sets), ("circle", seen.sets)):
            mine = [i for i, (o, s) in enumerate(zip(chips["customdata"], chips["marker"]["symbol"], strict=True)) if (o, s) == (image, shape)]
            said = [int(chips["text"][i].removeprefix("<u>").removesuffix("</u>")) for i in mine]
            true = int(seen.smoothed.labels[image])
            assert set(said) == set(np.flatnonzero(held[image]).tolist()) | {true}
            hollow = [k for k, i in zip(said, mine, strict=True) if chips["marker"]["color"][i] == LIGHT.surface]
            assert hollow == ([] if held[image, true] else [true])


def test_images_stand_before_and_after() -> None:
    seen = sets(image=17)
    z = robust.before_and_after(seen, LIGHT)["data"][0]["z"]
    np.testing.assert_array_equal(z[:8, :8], seen.smoothed.clean.images[16])
    np.testing.assert_array_equal(z[9:17, 25 + 10:25 + 18], seen.under.images[21])
    assert np.isnan(z[8]).all()


def test_the_proved_part_is_never_above_a_worst_attack() -> None:
    """Here every attack does all it can, so the proof meets it."""
    seen = sets()
    proved, _, plain, held, at, dots, band = robust.survival(seen, None, LIGHT)["data"]
    for r, coverage in zip(seen.radii, seen.coverages, strict=True):
        assert proved["y"][int(np.argmin(np.abs(proved["x"] - r)))] == pytest.approx(coverage, abs=1e-9)
    assert proved["fill"] == "tozeroy"
    np.testing.assert_array_equal(held["y"], seen.coverages)
    np.testing.assert_array_equal(plain["y"], seen.plain_coverages)
    assert at["y"] == [seen.plain_coverage, seen.coverage]
    assert dots["y"] == [None]
    assert band["y"] == [0.8, 0.95]


def test_a_dot_a_split_at_the_rank_of_the_threshold() -> None:
    proved = np.random.default_rng(1).random((30, N + 2))
    seen = sets()
    dots = robust.survival(seen, ProvedResplits(done=30, total=100, n=N, m=M, proved=proved), LIGHT)["data"][5]
    np.testing.assert_array_equal(dots["y"], proved[:, 37])
    assert np.abs(np.array(dots["x"]) - seen.radius).max() <= 0.026


def test_a_label_is_in_where_its_low_end_is_below_the_threshold() -> None:
    seen = sets()
    inside, outside, dots, line = robust.reach(seen, LIGHT)["data"]
    limit = line["y"][0]
    assert limit == pytest.approx(seen.limit - seen.reach)
    low = {x: y for bars in (inside, outside) for x, y in zip(bars["x"][::3], bars["y"][::3], strict=True)}
    for k in range(K):
        assert (low[k] <= limit) == (seen.least[k] <= seen.limit)
    assert [s == "circle" for s in dots["marker"]["symbol"]] == [bool(v <= limit) for v in (low[k] for k in range(K))]


def test_shares_of_sizes_add_up() -> None:
    plain, held = robust.sizes(sets(), None, LIGHT)["data"]
    assert sum(plain["y"]) == pytest.approx(100)
    assert np.dot(held["x"], held["y"]) / 100 == pytest.approx(sets().mean_size)
