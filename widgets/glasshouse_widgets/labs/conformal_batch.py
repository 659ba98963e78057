"""Batches: one promise about twenty points instead of twenty promises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

import numpy as np

from glasshouse.schema.events.conformal_batch import Claim, Redraws
from glasshouse_widgets.figures.conformal import batch
from glasshouse_widgets.labs.base import Action, Reading, Shown, Slot, Story
from glasshouse_widgets.labs.peeking import Watched


class BatchLab(Watched):
    """One step, no player: the laws are counted once, every level is a look."""

    family: ClassVar[str] = "conformal"
    room: ClassVar[str] = "conformal.batch"
    title: ClassVar[str] = "Promises about a batch"
    question: ClassVar[str] = "Twenty points arrive at once: what can you promise about them together?"
    sentence: ClassVar[str] = "Ranks of a batch follow a law that can be counted, so one bound holds for most of it as often as promised."
    home: ClassVar[str] = "conformal.batch-pi"
    rank: ClassVar[int] = 65
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("ranks", "Where the batch lands among the calibration points, and the law of that", height=480, stacked=430,
             describe="Calibration errors by rank with the batch's points in their gaps and the bound; below, the exact law of the rank."),
        Slot("held", "How often it is true; click a batch", "state", 190, "Each batch as true or false, and the share on what is promised."),
        Slot("alpha", "The bound at every alpha; click to move it", "second", 220, "Bound against alpha for three methods."),
        Slot("points", "This batch, point by point", "second", 220, "The batch's points with the bound."))
    actions: ClassVar[tuple[Action, ...]] = (
        Action("redraws", "Draw 300 times anew", "New calibration points and a new batch each time: is the promise kept?", "Stop drawing"),)

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        seen, theme = cast(Claim, shown.event), shown.theme
        if name == "ranks":
            return batch.ranks(seen, theme)
        if name == "alpha":
            return batch.by_alpha(seen, theme)
        if name == "points":
            return batch.points(seen, theme)
        studied = shown.studies.get("redraws")
        return batch.held(seen, studied if isinstance(studied, Redraws) and "redraws" in shown.fresh else None, theme)

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """A row per point of the batch."""
        seen = cast(Claim, shown.event)
        batched, b = seen.batched, seen.batch
        points = {"point": np.arange(batched.m), "error": batched.batch_scores[b], "rank_among_calibration": batched.ranks[b]}
        if batched.statement != "select":
            return points
        return {**points, "confidence": batched.confidence[b], "claim_is_false": batched.wrong[b]}

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        seen = cast(Claim, shown.event)
        select = seen.batched.statement == "select"
        baseline = f"{seen.bonferroni:5.3f}" if seen.bonferroni < float("inf") else " none"
        if select:
            last = Reading("claimed, false", f"{seen.selected:2d}, {seen.false_claims:2d}", "points",
                           "Points above the bound, and how many of these claims are false.")
        else:
            last = Reading("this batch", "true " if seen.held else "false", "", "Whether the claim is true of the batch shown.")
        meaning = "Confidence above which points are claimed." if select else "No larger error is allowed for."
        return (Reading("promised", f"{100 * (1 - seen.alpha):5.1f}", "%", "1 - alpha: how often the claim must be true."),
                Reading("exact chance", f"{100 * seen.chance:5.1f}", "%", "Share of all equally likely rankings in which the ranks make it true."),
                Reading("bound", f"{seen.bound:5.3f}", "", meaning),
                Reading("Bonferroni's", baseline, "", "The bound from promising each point something of its own."), last)

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        seen = cast(Claim, shown.event)
        batched, what = seen.batched, self._claim(seen)
        if not seen.informative:
            return Story(f"{what} cannot be promised below the error's own limit with {batched.n} calibration points: too many of the equally "
                         "likely rankings put it beyond the last of them.", "use more calibration points, or promise a smaller share.")
        ways = "rank sums" if seen.zeta == 0 else "ranks"
        span = f"{seen.low_rank} to" if seen.low_rank else "up to"
        tail = (" The bound must allow for points at the limit 1, so it is wide." if seen.zeta == 0 else "")
        return Story(f"Each of the {batched.m} points falls into a gap between {batched.n} calibration points, and all ways to fall are "
                     f"equally likely. So the law below can be counted, and {ways} {span} {seen.rank} are {100 * seen.chance:.1f} % of them. "
                     f"{what} with at least that chance.{tail}", _ATTEMPTS[batched.statement])

    @staticmethod
    def _claim(seen: Claim) -> str:
        m = seen.batched.m
        one = f"The {seen.zeta}{batch.ordinal(seen.zeta)} smallest of {m} errors"
        return {"most": f"“At least {seen.zeta} of {m} errors are within the bound”", "quantile": f"“{one} is within the bound”",
                "interval": f"“{one} lies between two bounds”", "select": f"“At most {m - seen.zeta} of what is claimed is false”",
                "mean": f"“The mean of {m} errors is within the bound”"}[seen.batched.statement]

    def coupling(self, shown: Shown, other: Shown) -> str:
        return "Both see the same points, calibration and batches."

    def own_state(self, shown: Shown) -> Mapping[str, Any]:
        return cast(Claim, shown.event).batched.extra

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        number, x = point.get("customdata"), point.get("x")
        if slot == "held" and isinstance(number, int) and number >= 0:
            self.set("batch", number)
        if slot == "alpha" and isinstance(x, (int, float)):
            self.set("alpha", round(min(0.99, max(0.01, x)), 2))


_ATTEMPTS: Mapping[str, str] = {
    "most": "drag the share of the batch to 1. Why does the bound jump to the limit?",
    "quantile": "set the share to 0.5. How far are the simpler ways from the median's bound?",
    "interval": "raise the points in a batch from 5 to 40. What happens to the interval?",
    "select": "allow no false claim, then five. How many points can be claimed?",
    "mean": "compare it with “most” at a share of 0.9. Which says more about the mean?"}
