"""Pictures of risk control, read back against the event they show."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from glasshouse import runs
from glasshouse.schema.events.conformal_risk import Chosen, RiskResplits
from glasshouse_widgets.figures.conformal import risk
from glasshouse_widgets.figures.palette import DARK, GREEN, GREY, LIGHT, VERMILION, Theme

Valid = Callable[[dict[str, Any]], dict[str, Any]]


@lru_cache(maxsize=32)
def chosen(method: str = "crc", alpha: float = 0.2, page: int = 0, problem: str = "digit-pages", **values: Any) -> Chosen:
    session = runs.open(f"conformal.{method}", problem, **values)
    list(session.events())
    seen = session.look(alpha=alpha, page=page)
    assert isinstance(seen, Chosen)
    return seen


def drawn(seen: Chosen, studied: RiskResplits | None = None, theme: Theme = LIGHT) -> list[dict[str, Any]]:
    return [risk.pages(seen, theme), risk.risk(seen, None, theme), risk.risk(seen, seen, theme), risk.evidence(seen, theme),
            risk.one_page(seen, theme), risk.samples(seen, studied, theme)]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("case", [
    {}, {"method": "ltt"}, {"method": "ltt", "calibration_size": 10, "alpha": 0.05}, {"alpha": 0.01, "page": 159, "calibration_size": 9},
    {"problem": "tiny", "alpha": 0.9}, {"method": "ltt", "problem": "tiny"}, {"loss": "missed-any", "alpha": 0.97, "noise": 2.0}])
def test_plotly_takes_them(case: dict[str, Any], theme: Theme, valid: Valid) -> None:
    for figure in drawn(chosen(**case), theme=theme):
        valid(figure)


def test_chips_are_the_sets_and_what_they_miss() -> None:
    seen = chosen()
    picture, chips, frames, _ = risk.pages(seen, LIGHT)["data"]
    for page in range(20):
        at = [i for i, owner in enumerate(chips["customdata"]) if owner == page]
        labels = {int(chips["text"][i].removeprefix("<u>").removesuffix("</u>")) for i in at}
        assert labels == set(np.flatnonzero(seen.sets[page] | seen.losses.truth[page]).tolist())
        assert {int(chips["text"][i].strip("<>u/")) for i in at if chips["text"][i].startswith("<u>")} == set(
            np.flatnonzero(seen.losses.truth[page]).tolist())
        hollow = sum(chips["marker"]["line"]["color"][i] == VERMILION for i in at)
        assert hollow == seen.missed[page].sum()
    assert frames["x"].count(None) == seen.missed[:20].any(axis=1).sum() > 0
    assert np.nanmax(picture["z"]) <= 255


def test_pages_stand_where_their_numbers_say_and_turn() -> None:
    picture = risk.pages(chosen(page=45), LIGHT)["data"][0]
    assert set(np.unique(picture["customdata"]).tolist()) == {-1, *range(40, 60)}
    z = np.where(picture["customdata"] == 41, picture["z"], np.nan)
    seen = chosen(page=45)
    shown = z[~np.isnan(z).all(axis=1)][:, ~np.isnan(z).all(axis=0)]
    assert (shown[:, :8] == seen.losses.pictures[41, 0]).all()
    assert shown.shape == (8, 8 * seen.losses.used[41])


def test_half_the_columns_where_two_methods_share_the_row() -> None:
    assert set(risk.pages(chosen(), LIGHT, 2)["data"][1]["customdata"]) == set(range(10))


def test_the_curve_carries_the_choice() -> None:
    seen = chosen()
    everything, calibration, line, mark = risk.risk(seen, None, LIGHT)["data"]
    assert (everything["y"] == seen.losses.true_risk).all()
    assert calibration["y"][seen.index] == pytest.approx(seen.calibration_risk)
    assert line["y"] == [0.2, 0.2]
    assert (mark["x"][0], mark["y"][0]) == (seen.lambda_hat, seen.calibration_risk)


@pytest.mark.parametrize("method", ["crc", "ltt"])
def test_green_is_what_may_be_used(method: str) -> None:
    seen = chosen(method)
    _, used, limit = risk.evidence(seen, LIGHT)["data"]
    assert used["line"]["color"] == GREEN
    assert np.flatnonzero(np.isfinite(used["y"])).tolist() == list(range(seen.index, 201))
    assert np.nanmax(used["y"]) <= limit["y"][0] == seen.limit[0]
    none = risk.evidence(chosen("ltt", 0.05, calibration_size=10), LIGHT)["data"][1]
    assert np.isnan(none["y"]).all()


def test_bars_that_reach_the_line_are_the_set() -> None:
    seen = chosen(page=8)
    bars, line = risk.one_page(seen, LIGHT)["data"]
    assert [shape == "" for shape in bars["marker"]["pattern"]["shape"]] == seen.sets[8].tolist()
    assert (np.asarray(bars["y"]) >= line["y"][0] - 1e-12).tolist() == seen.sets[8].tolist()
    missed = [color == VERMILION for color in bars["marker"]["color"]]
    assert missed == seen.missed[8].tolist()
    assert GREY in bars["marker"]["color"]


def test_other_samples_at_this_alpha() -> None:
    seen = chosen()
    made = RiskResplits(done=4, total=4, n=9, alphas=np.array([0.1, 0.2]), risk=np.array([[0.0, 0.19], [0.0, 0.21], [0.0, 0.25], [0.0, 0.0]]),
                        certified=np.array([[True, True]] * 3 + [[True, False]]))
    figure = risk.samples(seen, made, LIGHT)
    said = figure["layout"]["annotations"][0]["text"]
    assert "above alpha: 50 %" in said
    assert "none: 25 %" in said
    assert np.count_nonzero(figure["data"][0]["y"]) == 3
    assert risk.at_alpha(made, 0.15) is None
    assert "0.01, 0.02 ... 0.50" in risk.samples(chosen(alpha=0.15), made, LIGHT)["layout"]["annotations"][0]["text"]


def test_axes_and_traces_stay_while_alpha_moves() -> None:
    for one, two in zip(drawn(chosen(alpha=0.11))[:5], drawn(chosen(alpha=0.3))[:5], strict=True):
        assert len(one["data"]) == len(two["data"])
        assert all(one["layout"][axis]["range"] == two["layout"][axis]["range"] for axis in ("xaxis", "yaxis"))
