"""Drift: intervals along a stream that does not stay as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

import numpy as np

from glasshouse.schema.events.conformal_drift import Streams, Tracked
from glasshouse_widgets.figures.conformal import drift
from glasshouse_widgets.labs.base import Action, Lab, Reading, Shown, Slot, Story

SEE = ("Simulated. A dot is how far the truth was from its forecast, the band what was allowed for, a cross a miss. {what} "
       "The fixed interval (dashed), made once from {n} earlier points, covered {fixed:.0f} % so far; {promised:.0f} % was promised. {how}")
WHAT = {"the inputs": "Where it is shaded, the inputs drift away from those points.",
        "the noise": "Where it is shaded, the noise is larger than it was.", "nothing": "Nothing changes here."}
ACI = "ACI widens after each miss and narrows after each hit, and covered {own:.0f} %."
WEIGHTED = "Weights let points count more that resemble today's inputs: {own:.0f} % covered."
WORTHLESS = "Weights cannot see it: what changes is not the inputs. {own:.0f} % covered."
TRY = {"aci": "set the step size to 0, then to 0.2: what does each cost?",
       "weighted": "let it drift 3 deviations far: what happens to the interval, and why?"}


class DriftLab(Lab):
    """A player moves through time; alpha moves the whole path at once."""

    family: ClassVar[str] = "conformal"
    room: ClassVar[str] = "conformal.drift"
    title: ClassVar[str] = "Drift over time"
    question: ClassVar[str] = "What is a promise worth when tomorrow is not like yesterday?"
    sentence: ClassVar[str] = "A stream drifts away from its calibration points; intervals adapt to misses, or weigh the points anew."
    home: ClassVar[str] = "conformal.aci"
    sequence: ClassVar[str] = "time"
    rank: ClassVar[int] = 66
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("stream", "Forecast errors, and the interval that was to hold them", height=480, stacked=300,
             describe="Errors of the forecast over time with the interval of each step; misses are crosses."),
        Slot("calibration", "The calibration points, now", "state", 200, "Histogram of calibration errors, plain and weighted, with the limit."),
        Slot("coverage", "How often the truth was held lately", "second", 240,
             "Rolling coverage of the method and of the fixed interval, and what is promised."))
    actions: ClassVar[tuple[Action, ...]] = (
        Action("streams", "Draw 100 other streams", "How often is each step covered, over streams of the same kind?", "Stop drawing"),)

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        seen, theme = cast(Tracked, shown.event), shown.theme
        if name == "stream":
            return drift.stream(seen, theme)
        if name == "calibration":
            return drift.calibration(seen, theme)
        studied = shown.studies.get("streams")
        return drift.coverage(seen, cast(Tracked, other.event) if other else None,
                              studied if isinstance(studied, Streams) and "streams" in shown.fresh else None, theme)

    def span(self, shown: Shown) -> tuple[int, int]:
        seen = cast(Tracked, shown.event)
        return seen.block, seen.blocks

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """A row per step of the stream."""
        seen = cast(Tracked, shown.event)
        stream = seen.stream
        return {"step": range(1, stream.steps + 1), "passed": np.arange(stream.steps) < seen.now, "truth": stream.y, "forecast": stream.forecast,
                "lower": stream.forecast - seen.limit, "upper": stream.forecast + seen.limit, "missed": seen.missed,
                "missed_by_fixed": seen.fixed_missed, "recent_coverage": seen.rolling}

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        seen = cast(Tracked, shown.event)
        width = f"{seen.width:5.2f}" if seen.width == seen.width else "    –"
        return (Reading("held so far", f"{100 * seen.coverage:5.1f}", "%",
                        f"Of the {seen.now} steps up to now; {100 * (1 - seen.alpha):.0f} % is aimed at."),
                Reading("fixed interval", f"{100 * seen.fixed_coverage:5.1f}", "%", "What split conformal prediction, made once, would have held."),
                Reading("mean width", width, "", f"Of the intervals with an end, up to now; the fixed one has {seen.fixed_width:.2f}."),
                Reading("without an end", f"{100 * seen.infinite:5.1f}", "%", "Intervals that had to hold everything."))

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        seen, method = cast(Tracked, shown.event), shown.info.id.partition(".")[2]
        how = ACI if method == "aci" else WORTHLESS if seen.stream.changes == "the noise" else WEIGHTED
        return Story(SEE.format(what=WHAT[seen.stream.changes], n=seen.stream.n, fixed=100 * seen.fixed_coverage, promised=100 * (1 - seen.alpha),
                                how=how.format(own=100 * seen.coverage)), TRY.get(method, "play from the start, and watch the coverage."))

    def coupling(self, shown: Shown, other: Shown) -> str:
        return "Both see the same stream and calibration points."

    def act(self, name: str) -> None:
        if name in self.acting:
            super().act(name)
        else:
            self.study(name, alpha=self.looks.values()["alpha"])

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        if slot in ("stream", "coverage") and isinstance(point.get("x"), (int, float)) and self.player is not None:
            self.player.scrub(int((float(point["x"]) - 1) // 10))
