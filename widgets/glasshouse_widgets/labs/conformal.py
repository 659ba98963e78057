"""Conformal prediction: sets that hold the truth as often as promised, moving while alpha moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

import numpy as np

from glasshouse.schema.events.conformal import Resplits, Sets
from glasshouse_widgets.figures import conformal
from glasshouse_widgets.labs import exports
from glasshouse_widgets.labs.base import Action, Reading, Shown, Slot, Story
from glasshouse_widgets.labs.peeking import Watched


class ConformalLab(Watched):
    """One step, no player: everything moves by looks."""

    family: ClassVar[str] = "conformal"
    title: ClassVar[str] = "Prediction sets"
    question: ClassVar[str] = "How many answers must you give to be right nine times out of ten?"
    sentence: ClassVar[str] = "Every image gets a set of labels, and the sets hold the truth as often as promised."
    home: ClassVar[str] = "conformal.lac"
    rank: ClassVar[int] = 60
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("sets", "Images, and the labels that cannot be ruled out", height=480,
             describe="A grid of test images with the labels of each prediction set below; missed truths are framed."),
        Slot("coverage", "How often the truth was in the set", "state", 150, "Coverage of this split on the band that chance allows."),
        Slot("sizes", "How large the sets are", "state", 190, "Share of sets by number of labels.", twice=False),
        Slot("scores", "How strange the truth was; drag the threshold", "second", 210,
             "Histogram of calibration scores with the threshold."),
        Slot("p-values", "One image, label by label; click an image above", "second", 210, "The p-value of every label of one image."))
    actions: ClassVar[tuple[Action, ...]] = (
        Action("resplits", "Split the images 100 times", "Is the promise kept on average over splits? Watch the coverage.", "Stop splitting"),)

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        seen, theme = cast(Sets, shown.event), shown.theme
        if name == "sets":
            return conformal.prediction_sets(seen, theme, conformal.COLUMNS // (2 if other else 1))
        if name == "scores":
            return conformal.scores(seen, theme)
        if name == "p-values":
            return conformal.p_values(seen, theme)
        if name == "coverage":
            studied = shown.studies.get("resplits")
            return conformal.covered(seen, studied if isinstance(studied, Resplits) and "resplits" in shown.fresh else None, theme)
        return conformal.sizes(seen, cast(Sets, other.event) if other else None, theme)

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """A row per test image."""
        seen = cast(Sets, shown.event)
        labels = seen.calibrated.labels
        return {"test_image": np.arange(len(labels)), "true_label": labels, "set": exports.listed(seen.sets), "labels_in_set": seen.sizes,
                "holds_truth": seen.sets[np.arange(len(labels)), labels]}

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        seen = cast(Sets, shown.event)
        empty = float((seen.sizes == 0).mean()) * 100
        return (Reading("promised", f"{100 * (1 - seen.alpha):5.1f}", "%", "1 - alpha: how often a set must hold the truth."),
                Reading("held the truth", f"{100 * seen.coverage:5.1f}", "%", f"On the {seen.calibrated.m} test images of this split."),
                Reading("labels in a set", f"{seen.mean_size:5.2f}", f"of {seen.calibrated.classes}", "On average; fewer say more."),
                Reading("empty sets", f"{empty:5.1f}", "%", "Images of which no label was plausible enough."))

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        seen = cast(Sets, shown.event)
        if seen.full_because:
            few = seen.calibrated.cells != "all" and "few" in seen.full_because and not seen.sets.all()
            full = "Every set holds every label" if seen.sets.all() else "Most sets say little"
            if few:
                full = ("Some groups get sets that hold every label" if seen.calibrated.cells == "group"
                        else "Some labels cannot be ruled out for anybody")
            return Story(f"{full}: {seen.full_because}.", f"{seen.full_advice}.")
        missed = round((1 - seen.coverage) * seen.calibrated.m)
        return Story(f"Chips are the labels that cannot be ruled out; the true one is green and underlined. At alpha {seen.alpha:.2f} a set may "
                     f"miss it {100 * seen.alpha:.0f} times in 100. Here {missed} of {seen.calibrated.m} do: they are framed. Nothing is "
                     "learned anew when alpha moves: a threshold slides over scores that are there already.",
                     "drag alpha to 0.01, then to 0.40. Which labels leave first?")

    def own_state(self, shown: Shown) -> Mapping[str, Any]:
        return cast(Sets, shown.event).calibrated.extra

    def coupling(self, shown: Shown, other: Shown) -> str:
        return "Both see the same images, noise and split."

    def figure_config(self, pane: str) -> dict[str, Any]:
        """The threshold is a handle."""
        return super().figure_config(pane) | ({"edits": {"shapePosition": True}} if pane == "scores" else {})

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        number = point.get("customdata")
        if slot == "sets" and isinstance(number, int) and number >= 0:
            self.set("image", number)
        if slot == "scores" and isinstance(point.get("x"), (int, float)):
            event = self.sides[0].event
            if isinstance(event, Sets) and event.calibrated.cells == "all":
                above = int((event.calibrated.scores > point["x"]).sum())
                self.set("alpha", round(min(0.99, max(0.01, (above + 1) / (event.calibrated.n + 1))), 2))

