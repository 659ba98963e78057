"""Pictures of what a model knows, read back against the event they show."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from glasshouse.schema.events.conformal_knowing import Epoch, Known, World
from glasshouse_widgets.figures.conformal import knowing
from glasshouse_widgets.figures.palette import DARK, LIGHT, Theme

M, BINS = 200, 5
Valid = Callable[[dict[str, Any]], dict[str, Any]]


def epoch(number: int = 0, phase: Any = "kept", paired: bool = False, error: float = 0.01) -> Epoch:
    rng = np.random.default_rng(5)
    truth, mu = rng.random(M), rng.random(M)
    both = [np.stack((p, 1 - p), axis=1) for p in (truth, mu)]
    cheat = np.repeat(both[1][:, None, :], 2, axis=1) if paired else np.empty((0, 0, 0))
    world = World(("yes", "no"), both[0], rng.integers(2, size=(M, 2)), both[0], np.zeros((M, 2)))
    return Epoch(epoch=number, phase=phase, valid_loss=0.5, error=error, brier=0.2, ece=0.05, kl=0.1, claimed=0.02 if paired else np.nan,
                 mu=both[1], cheat=cheat, world=world)


def known(paired: bool = False, point: int = 3, bins: int = BINS, index: int = 2, radius: float = 0.3) -> Known:
    state = epoch(index, paired=paired)
    predicted = np.linspace(0.1, 0.9, bins)
    predicted[1] = np.nan
    gap = np.full(M, radius if paired else np.nan)
    spread = np.linspace(0.01, 0.1, 3 * bins).reshape(3, bins) if paired else np.full((3, bins), np.nan)
    return Known(index=index, epochs=4, answer=0, bins=bins, beta=0.1, point=point, ece=0.04, mce=0.1, inside=0.8 if paired else np.nan,
                 confidence=0.5, agreement=0.9, agreement_ece=np.nan, count=np.full(bins, M / bins), predicted=predicted,
                 observed=predicted**2, true=predicted**1.5, variance=gap**2 * 0.1, radius=gap, spread_bins=spread,
                 covariance=np.zeros((2, 2)) if paired else np.empty((0, 0)),
                 history=np.array([[0.04, 0.01, 0.02, 0.03], [0.24, 0.21, 0.22, 0.23], [0.1, 0.3, 0.2, 0.4]]), state=state)


def run() -> list[Epoch]:
    phases = ["untrained", "learning", "learning", "soft targets", "outcomes", "kept"]
    return [epoch(i, phase, error=0.1 / (i + 1)) for i, phase in enumerate(phases)]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("seen", [known(), known(True), known(True, radius=0.0), known(bins=30), known(True, point=M - 1)])
def test_plotly_takes_them(seen: Known, theme: Theme, valid: Valid) -> None:
    for figure in (knowing.truth(seen, theme), knowing.truth(seen, theme, wide=False), knowing.came_true(seen, theme), knowing.tell(seen, theme),
                   knowing.curves(run(), 5, [], theme), knowing.curves([epoch(paired=True)], 0, run(), theme)):
        valid(figure)
        for name in ("xaxis", "yaxis"):
            assert figure["layout"][name]["title"]["text"]
            assert len(figure["layout"][name]["range"]) == 2


def test_every_input_is_one_dot_and_crosses_are_outside_their_interval() -> None:
    for seen in (known(), known(True)):
        _, dots, crosses, *_ = knowing.truth(seen, LIGHT)["data"]
        said, true = seen.state.mu[:, 0], seen.state.world.truth[:, 0]
        assert sorted([*dots["customdata"], *crosses["customdata"]]) == list(range(M))
        assert (np.abs(crosses["x"] - crosses["y"]) > 0.3).all()
        assert (dots["x"] == said[dots["customdata"]]).all()
        assert (dots["y"] == true[dots["customdata"]]).all()
    assert len(crosses["x"]) > 0
    assert len(knowing.truth(known(), LIGHT)["data"][2]["x"]) == 0, "without pairs nothing is claimed, so nothing is missed"


def test_intervals_hang_on_their_dots_and_end_at_0_and_1() -> None:
    seen = known(True, point=150)
    whiskers = knowing.truth(seen, LIGHT)["data"][0]
    x, y = whiskers["x"], whiskers["y"]
    assert len(x) == 3 * (knowing.WHISKERS + 1)
    for k in range(0, len(x), 3):
        assert x[k] == x[k + 1]
        assert (y[k], y[k + 1]) == pytest.approx((max(x[k] - 0.3, 0), min(x[k] + 0.3, 1)))
        assert x[k + 2] is y[k + 2] is None
    assert seen.state.mu[150, 0] in x
    assert knowing.truth(known(), LIGHT)["data"][0]["x"] == []


def test_the_chosen_input_is_framed() -> None:
    frame = knowing.truth(known(point=17), LIGHT)["data"][-1]
    assert frame["customdata"] == [17]
    assert frame["x"] == [known().state.mu[17, 0]]


def test_empty_bins_are_left_out() -> None:
    rings = knowing.truth(known(), LIGHT)["data"][4]
    squares = knowing.came_true(known(), LIGHT)["data"][2]
    assert len(rings["x"]) == len(rings["y"]) == len(squares["x"]) == len(squares["y"]) == BINS - 1
    assert squares["y"] == pytest.approx(np.array(squares["x"]) ** 2)
    assert rings["y"] == pytest.approx(np.array(rings["x"]) ** 1.5)


def test_axes_and_traces_stay_while_epochs_pass() -> None:
    for paired in (False, True):
        for draw in (knowing.truth, knowing.came_true, knowing.tell):
            one, two = draw(known(paired, index=1), LIGHT), draw(known(paired, bins=9, index=3), LIGHT)
            assert len(one["data"]) == len(two["data"])
            assert all(one["layout"][axis]["range"] == two["layout"][axis]["range"] for axis in ("xaxis", "yaxis"))
    whole, begun = knowing.curves(run(), 5, [], LIGHT), knowing.curves(run()[:1], 0, [], LIGHT)
    assert len(whole["data"]) == len(begun["data"])
    assert whole["layout"]["xaxis"]["range"] == begun["layout"]["xaxis"]["range"]


def test_curves_are_the_numbers_of_the_epochs() -> None:
    error, brier, ece, claimed, second, turn, here = knowing.curves(run(), 2, [epoch(paired=True)], LIGHT)["data"]
    assert error["y"] == [e.error for e in run()]
    assert brier["y"] == [0.2] * 6
    assert ece["y"] == [0.05] * 6
    assert claimed["y"] == [None] * 6
    assert second["y"] == [0.01]
    assert turn["x"] == [2.5, 2.5, None], "between the last epoch of the first phase and the first of the second"
    assert (here["x"], here["y"]) == ([2], [error["y"][2]])
    tiny = knowing.curves([epoch(error=1e-9)], 0, [], LIGHT)
    assert tiny["data"][0]["y"] == [10**knowing.LOW], "a log axis has a foot"


def test_ranks_go_from_the_truest_epoch_to_the_falsest() -> None:
    _, brier, ece = knowing.tell(known(), LIGHT)["data"]
    assert brier["x"].tolist() == brier["y"].tolist() == [4, 1, 2, 3]
    assert ece["y"].tolist() == [1, 3, 2, 4]
    said = knowing.tell(known(), LIGHT)["layout"]["annotations"][0]["text"]
    assert "+0.90" in said
    assert "not yet" in said


def test_claims_stand_against_actual_errors() -> None:
    seen = known(True)
    seen.spread_bins[2, 0] = -0.01                  # pairs may say less than nothing
    _, actual, pairs = knowing.tell(seen, LIGHT)["data"]
    assert actual["x"] == pairs["x"] == pytest.approx(100 * np.sqrt(seen.spread_bins[0]))
    assert actual["y"] == pytest.approx(100 * np.sqrt(seen.spread_bins[1]))
    assert pairs["y"] == pytest.approx([-10, *100 * np.sqrt(seen.spread_bins[2, 1:])])


def test_words_of_an_answer_are_escaped() -> None:
    seen = known()
    object.__setattr__(seen.state.world, "answers", ("<b>", "no"))
    assert not re.search("<b>[^e]", knowing.truth(seen, LIGHT)["layout"]["xaxis"]["title"]["text"])
