"""Prediction intervals: a forecast of a number, and the stretch around it that holds the truth as often as promised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

import numpy as np

from glasshouse.schema.events.conformal_intervals import Intervals, Redraws
from glasshouse_widgets.figures.conformal import intervals
from glasshouse_widgets.labs.base import Action, Reading, Shown, Slot, Story
from glasshouse_widgets.labs.peeking import Watched

SEE = ("Dots are simulated test points, each with the interval that was forecast for it. At alpha {alpha:.2f} intervals aim to miss "
       "{may:.0f} times in 100; here {missed} of {m} do (✕). {how}")
HOW = {
    "split": "All are equally wide, whether the noise is large there or small.",
    "normalised": "Their width follows the spread that the model expects there.",
    "cqr": "Two quantile models made a raw band; calibration moved both its edges out by {threshold:.2f} (in, where negative).",
    "jackknife-plus": "Each labelled point was judged by a model that had not seen it; all {n} models forecast each new point.",
    "cv-plus": "Labelled points were judged fold by fold, by models that had not seen the fold.",
    "full": "For every candidate y the model was fitted anew with it; a y stays if it does not stand out."}
SCORE = {"split": "|y - forecast|", "normalised": "|y - forecast| / expected spread", "cqr": "distance outside the raw band",
         "full": "|y - forecast| on the points learnt from"}
EMPTY = " In {:.0f} % of them the ends have crossed: empty."
LEFT_OUT = "|y - forecast| when the point was left out"
TRY = {
    "split": "drag alpha to 0.02, then to 0.50. Then measure residuals normalised: where does the band narrow?",
    "normalised": "set uneven noise to 0. Is anything gained now?",
    "cqr": "drag alpha to 0.50 and beyond: does the threshold fall below 0?",
    "jackknife-plus": "drag alpha to 0.30: what is proven, and what do you see?",
    "cv-plus": "choose 2 folds and 40 labelled points. How much wider does it get?",
    "full": "choose 40 labelled points and compare with split."}


class IntervalLab(Watched):
    """One step, no player: everything moves by looks."""

    family: ClassVar[str] = "conformal"
    room: ClassVar[str] = "conformal.intervals"
    title: ClassVar[str] = "Prediction intervals"
    question: ClassVar[str] = "How wide must a forecast be to hold the truth nine times out of ten?"
    sentence: ClassVar[str] = "Around every forecast of a number stands an interval, and the intervals hold the truth as often as promised."
    home: ClassVar[str] = "conformal.split"
    rank: ClassVar[int] = 61
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("band", "Test points and their intervals; click one", height=480,
             describe="A scatter of test points over the band of prediction intervals; points outside are crosses."),
        Slot("coverage", "How often it held the truth", "state", 150, "Coverage of this sample on the band that chance allows."),
        Slot("widths", "How wide it is at each x", "state", 200, "Width of the interval over x.", twice=False),
        Slot("scores", "How wrong it was; click to set alpha", "second", 220, "Histogram of scores with the threshold."),
        Slot("plausible", "The chosen point: which y remain possible", "second", 220, "The p-value of every candidate at one test point."))
    actions: ClassVar[tuple[Action, ...]] = (
        Action("redraws", "Draw 100 other samples", "Is the promise kept on average over samples? Watch the coverage.", "Stop drawing"),)

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        seen, theme = cast(Intervals, shown.event), shown.theme
        second = cast(Intervals, other.event) if other else None
        if name == "band":
            return intervals.band(seen, second, theme)
        if name == "widths":
            return intervals.widths(seen, second, theme)
        if name == "scores":
            return intervals.scores(seen, SCORE.get(_kind(shown), LEFT_OUT), theme)
        if name == "plausible":
            return intervals.plausible(seen, theme)
        studied = shown.studies.get("redraws")
        return intervals.covered(seen, studied if isinstance(studied, Redraws) and "redraws" in shown.fresh else None, theme)

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """A row per test point."""
        seen = cast(Intervals, shown.event)
        learnt = seen.learnt
        return {"test_point": range(learnt.m), "at": learnt.at, "truth": learnt.y, "forecast": learnt.center, "lower": seen.lower,
                "upper": seen.upper, "holds_truth": seen.covered}

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        seen = cast(Intervals, shown.event)
        width = f"{seen.mean_width:5.2f}" if np.isfinite(seen.mean_width) else "    ∞"
        return (Reading("proven", f"{100 * seen.claimed:5.1f}", "%", "How often an interval must hold the truth, by the method's theorem."),
                Reading("held the truth", f"{100 * seen.coverage:5.1f}", "%", f"On the {seen.learnt.m} test points of this sample."),
                Reading("in the worst third", f"{100 * _worst_third(seen):5.1f}", "%",
                        "Of the low, middle and high x, where it held least often: the promise is for all x together."),
                Reading("mean width", width, "", f"In units of {seen.learnt.target_name}; narrower says more."))

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        seen, kind = cast(Intervals, shown.event), _kind(shown)
        if seen.infinite_because:
            return Story(f"Every interval is the whole line: {seen.infinite_because}.", "use more labelled points, or a larger alpha.")
        how = HOW[kind].format(threshold=seen.threshold, n=seen.learnt.n) + (EMPTY.format(100 * seen.empty) if seen.empty else "")
        missed = int((~seen.covered).sum())
        return Story(SEE.format(alpha=seen.alpha, may=100 * seen.alpha, missed=missed, m=seen.learnt.m, how=how), TRY[kind])

    def coupling(self, shown: Shown, other: Shown) -> str:
        return "Both learn from the same labelled points and see the same test points."

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        number = point.get("customdata")
        if slot == "band" and isinstance(number, int) and number >= 0:
            self.set("point", number)
        event = self.sides[0].event
        if slot == "scores" and isinstance(point.get("x"), (int, float)) and isinstance(event, Intervals) and event.learnt.has_threshold:
            above = int((event.learnt.scores > point["x"]).sum())
            self.set("alpha", round(min(0.99, max(0.01, (above + 1) / (event.learnt.n + 1))), 2))


def _kind(shown: Shown) -> str:
    """The method's name, or that of its variant."""
    name = shown.info.id.partition(".")[2]
    return "normalised" if name == "split" and shown.values.get("residual") == "normalised" else name


def _worst_third(seen: Intervals) -> float:
    thirds = np.array_split(seen.covered[np.argsort(seen.learnt.at, kind="stable")], 3)
    return min(float(part.mean()) for part in thirds if len(part))
