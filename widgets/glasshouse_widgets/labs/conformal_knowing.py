"""What a model knows: its probabilities beside the true ones while it learns, and whether it can tell how far off it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

import numpy as np

from glasshouse.schema.events.conformal_knowing import Epoch, Known
from glasshouse.schema.guarantee import Guarantee
from glasshouse_widgets.figures.conformal import knowing
from glasshouse_widgets.labs.base import Lab, Reading, Shown, Slot, Story

PLANE = "A dot is a test input: to the right what the model says, upwards the true probability, known because this world is simulated. "
SEE = {
    "untrained": PLANE + "Nothing is learned yet, so it says nearly the same of everything.",
    "learning": PLANE + "True models stand on the dashed line. Now it learns plain outcomes, yes or no. Soon it knows them by heart: "
                        "dots leave for 0 and 1.",
    "soft targets": PLANE + "Training went back to its best epoch. Now inputs that the model rates alike are all told the share of yes among them.",
    "outcomes": PLANE + "An epoch on plain outcomes, after going back to the best one. Alone, it would lead to 0 and 1 again.",
    "kept": PLANE + "This is the epoch with the best validation loss: typically {off:.0f} points off. By heart it was {heart:.0f}.",
}
PAIRS = ("A dot is a test input: what the model says, and the simulated truth. It learned pairs of answers. Where a first answer would help to "
         "guess the second, it does not know all: that is its claimed error, and the grey bar its interval. {count}")
COUNT = "It says it is {claimed:.0f} points off, and is {off:.0f}.{but}"
BUT = " So it is right on average, but not input by input: {outside:.0f} % of truths are outside."
TRY = {
    "untrained": "press play, and watch the dots find the line and leave it.",
    "learning": "click the error curve just before its dotted line.",
    "soft targets": "set the targets to outcomes: is it the soft targets that help?",
    "outcomes": "set plain epochs between to 0.",
    "kept": "compare it with itself on plain outcomes, epoch by epoch.",
    "seen": "hide some of the input: does it know what it misses?",
    "hidden": "move beta, and count the crosses.",
}
MEANING = {
    "off": "Root of the mean squared distance between said and true probability, in percentage points. Only a simulation can know it.",
    "claimed": "The same, as the model claims from pairs of answers, without the truth.",
    "brier": "Mean squared distance between said probability and outcome, 0 or 1: can be computed, and follows the hidden error.",
    "ece": "Mean gap between said probability and how often it came true, over the bins.",
    "inside": "Test inputs whose true probability is within sqrt(V / beta) of what the model says.",
}


class KnowingLab(Lab):
    """A training that can be scrubbed: the player moves through its epochs."""

    family: ClassVar[str] = "conformal"
    room: ClassVar[str] = "conformal.knowing"
    title: ClassVar[str] = "What the model knows"
    question: ClassVar[str] = "It says 70 %. Is that true, and would it know if not?"
    sentence: ClassVar[str] = "Probabilities beside the true ones while a network learns, and how far off it says it is."
    home: ClassVar[str] = "conformal.deep-probability"
    rank: ClassVar[int] = 69
    sequence: ClassVar[str] = "epoch"
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("truth", "What the model says, and what is true", "stage", 480,
             "Predicted against true probability of every test input, with the diagonal and the means of bins."),
        Slot("came-true", "How often it came true", "state", 210, "Observed frequency against predicted probability by bin."),
        Slot("curves", "How wrong, epoch by epoch", "second", 250,
             "Hidden error, Brier score and calibration error over epochs, log axis."),
        Slot("tell", "Can you tell without the truth?", "second", 250, "What can be computed against the hidden error.", True))

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        seen, theme = _seen(shown), shown.theme
        if name == "truth":
            return knowing.truth(seen, theme, wide=other is None)
        if name == "came-true":
            return knowing.came_true(seen, theme)
        if name == "tell":
            return knowing.tell(seen, theme)
        return knowing.curves(_epochs(shown), seen.index, _epochs(other) if other else [], theme)

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """A row per test input."""
        seen, world = _seen(shown), _seen(shown).state.world
        said = {"input": range(len(world.truth)), "probability": seen.state.mu[:, seen.answer], "true_probability": world.truth[:, seen.answer],
                "came_true": world.labels[:, 0] == seen.answer}
        return {**said, "says_it_is_off_by": seen.radius} if _pairs(seen) else said

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        seen = _seen(shown)
        found = (Reading("typically off by", f"{_points(seen.state.error):5.1f}", "points", MEANING["off"]),
                 Reading("Brier score", f"{seen.state.brier:6.4f}", "", MEANING["brier"]),
                 Reading("ECE", f"{seen.ece:6.4f}", "", MEANING["ece"]))
        if not _pairs(seen):
            return found
        return (*found, Reading("says it is off by", f"{_points(seen.state.claimed):5.1f}", "points", MEANING["claimed"]),
                Reading("truth in its interval", f"{100 * seen.inside:5.1f}", "%", MEANING["inside"]))

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        seen = _seen(shown)
        phase = seen.state.phase
        if _pairs(seen):
            claimed, off = _points(seen.state.claimed), _points(seen.state.error)
            but = BUT.format(outside=100 * (1 - seen.inside)) if seen.inside < 1 - seen.beta and abs(claimed - off) < 0.25 * off else ""
            return Story(PAIRS.format(count=COUNT.format(claimed=claimed, off=off, but=but)),
                         TRY["seen" if (seen.state.world.spread == 0).all() else "hidden"])
        heart = [e.error for e in _epochs(shown) if e.phase == "learning"] or [seen.state.error]
        return Story(SEE[phase].format(off=_points(seen.state.error), heart=_points(heart[-1])), TRY[phase])

    def promise(self, shown: Shown, actual: Guarantee) -> Guarantee:
        """The simulation knows whether the assumption holds; where intervals miss too often, it does not."""
        seen = _seen(shown)
        if not _pairs(seen) or seen.inside >= 1 - seen.beta:
            return actual
        return actual.downgraded("heuristic", f"{100 * (1 - seen.beta):.0f} % of true probabilities would be in their interval if the pair model "
                                              f"were calibrated for every input. Here {100 * seen.inside:.0f} % are: it is not.")

    def own_state(self, shown: Shown) -> Mapping[str, Any]:
        """The table of the chosen input, where there is one."""
        seen = _seen(shown)
        return {**seen.extra, "gain": seen.covariance} if _pairs(seen) else seen.extra

    def span(self, shown: Shown) -> tuple[int, int]:
        return _seen(shown).index, _seen(shown).epochs

    def coupling(self, shown: Shown, other: Shown) -> str:
        return "Both learn from the same inputs and are tested on the same."

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        number, x = point.get("customdata"), point.get("x")
        if slot == "truth" and isinstance(number, int):
            self.set("point", number)
        elif slot == "curves" and isinstance(x, (int, float)) and self.player is not None:
            self.player.scrub(round(x))
        elif slot == "tell" and isinstance(number, int) and self.player is not None:
            self.player.scrub(number)


def _seen(shown: Shown) -> Known:
    return cast(Known, shown.event)


def _epochs(shown: Shown) -> list[Epoch]:
    return [event for event in shown.computed if isinstance(event, Epoch)]


def _pairs(seen: Known) -> bool:
    return len(seen.covariance) > 0


def _points(squared: float) -> float:
    """Root mean square, in percentage points."""
    return 100 * float(np.sqrt(squared))
