"""Deciding with a confidence: answer, give a set, stay silent, or ask a dearer model; risk, share answered and cost in one picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from glasshouse.schema.events.conformal_decisions import Cascaded, Decisions, PolicyStep, Selected, Walked
from glasshouse.schema.guarantee import Guarantee
from glasshouse_widgets.figures.conformal import decided, decisions
from glasshouse_widgets.labs import exports
from glasshouse_widgets.labs.base import Group, Reading, Shown, Slot, Story
from glasshouse_widgets.labs.peeking import Watched

WIDTHS = 20             # steps of the player from no window to all images
UNUSED = {"conformal.conformal-abstention": {"coverage", "half_width", "limit", "further_looks"}, "conformal.window-exit": {"limit"},
          "conformal.sgr": {"coverage", "half_width", "further_looks"}}


class DecisionLab(Watched):
    """The player walks a learned policy's path, or the tests of a threshold in turn; for a cascade it widens the window."""

    family: ClassVar[str] = "conformal"
    room: ClassVar[str] = "conformal.decisions"
    title: ClassVar[str] = "Answer or stay silent"
    question: ClassVar[str] = "When should a model say nothing, and when ask a better one?"
    sentence: ClassVar[str] = "Fewer answers are safer and second looks cost more: say how many may be wrong and see how many you get."
    home: ClassVar[str] = "conformal.sgr"
    rank: ClassVar[int] = 68
    sequence: ClassVar[str] = "step"
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("plane", "How many answers, how many of them wrong, and at what cost", height=480, stacked=420,
             describe="Left, the share of wrong answers over the share of images answered; right, what that costs."),
        Slot("image", "One image; click one below", "state", 250, "Probabilities of every label of the chosen image, and what was decided."),
        Slot("strip", "Test images by what is done with them", "second", 270, "Rows of test images, one row a decision, with what was said."))

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        seen = cast(Decisions, shown.event)
        if name == "plane":
            return decisions.stage(seen, shown.theme)
        return decided.one(seen, shown.theme) if name == "image" else decided.strip(seen, shown.theme)

    # What is said

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """A row per test image."""
        seen = cast(Decisions, shown.event)
        return {"test_image": range(seen.tested.m), "true_label": seen.tested.labels, "confidence": seen.tested.confidence,
                "decision": [seen.names[d] for d in seen.decision.tolist()], "said": exports.listed(seen.answers), "right": seen.right}

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        seen = cast(Decisions, shown.event)
        answered = Reading("answered", f"{100 * seen.coverage:5.1f}", "%", f"Of the {seen.tested.m} test images of this split.")
        wrong = Reading("wrong answers", _percent(seen.risk), "%", "Among the answered: the truth is not in what was said.")
        alone = seen.risks[0] if isinstance(seen, Cascaded) else seen.plain_risk if isinstance(seen, Walked) else seen.risk
        plain = Reading("surest first", _percent(alone), "%", "Wrong, had as many been answered with one label after one look, the surest first.")
        if len({type(side.event) for side in self.sides if side.event is not None}) > 1:
            return answered, wrong, plain           # two different questions have only these in common
        if isinstance(seen, Selected):
            return (answered, wrong, Reading("limit", f"{100 * seen.limit:5.1f}", "%", "So many of the answers may be wrong."),
                    Reading("certified", _percent(seen.bound), "%", "The bound at the threshold that stands, from calibration images alone."),
                    Reading("tests", f"{seen.index + 1:3d}", "", f"Thresholds tried; {seen.certificates.sharing} share the chance of error."))
        if isinstance(seen, Cascaded):
            return (answered, wrong, plain,
                    Reading("least sure go on", _percent(seen.risks[3]), "%", "Wrong among as many answers, had the least sure gone on."),
                    Reading("cost", f"{seen.cost:5.2f}", "looks an image", f"{100 * seen.passed:.0f} % are passed on; all would cost "
                            f"{seen.stages.first_cost + seen.stages.second_cost:g}."))
        assert isinstance(seen, Walked)
        return (answered, wrong, plain,
                Reading("labels in a set", f"{seen.now.set_size:5.2f}" if seen.now.set_size == seen.now.set_size else "    –", "",
                        "On average over the sets; a set may hedge, one label may not."),
                Reading("cost", f"{seen.now.cost:5.2f}", "", f"Expected on the images it learns from; {seen.path[0].cost:.2f} where it started, "
                        f"{seen.now.surface.best_cost:.2f} at the best of a grid."))

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        seen = cast(Decisions, shown.event)
        if isinstance(seen, Cascaded):
            return _cascade_story(seen)
        if isinstance(seen, Selected):
            return _limit_story(seen)
        assert isinstance(seen, Walked)
        return _policy_story(seen)

    def promise(self, shown: Shown, actual: Guarantee) -> Guarantee:
        """A certificate holds at the end of the path, where it was counted."""
        seen = shown.event
        if actual.kind == "PAC" and isinstance(seen, Walked) and seen.now.bound != seen.now.bound:
            actual = actual.downgraded("heuristic", "The certificate is for the end of the path; this step of learning has none.")
        return super().promise(shown, actual)

    def coupling(self, shown: Shown, other: Shown) -> str:
        if shown.info.id == other.info.id:
            return "Both see the same images and the same dice."
        return "Both see the same noisy images; the parts they learn from differ."

    # What is offered, and what a hand does

    def controls(self) -> tuple[Group, ...]:
        """What no method on show reads is not offered: a look, or the dear model's looks where there is none."""
        used = [UNUSED.get(side.info.id, set()) for side in self.sides]
        unused = set.intersection(*used)
        groups = (dataclasses.replace(g, controls=tuple(c for c in g.controls if c.name not in unused)) for g in super().controls())
        return tuple(g for g in groups if g.controls or g.folded)

    def span(self, shown: Shown) -> tuple[int, int]:
        seen = cast(Decisions, shown.event)
        if isinstance(seen, Cascaded):
            return round(seen.half_width * WIDTHS), WIDTHS + 1
        return (seen.index, seen.length) if isinstance(seen, (Walked, Selected)) else (0, 0)

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        number, x, curve = point.get("customdata"), point.get("x"), point.get("curve")
        if slot == "strip" and isinstance(number, int) and number >= 0:
            self.set("image", number)
        event = self.sides[point.get("side", 0)].event
        if slot != "plane" or not isinstance(x, (int, float)):
            return
        if isinstance(event, Selected) and curve in (6, 7):
            self.set("limit", round(min(0.99, max(0.01, x / 100)), 2))
        elif isinstance(event, Cascaded) and curve in (6, 7) and isinstance(number, (int, float)):
            self.set("half_width", round(number / 100, 2))
        elif isinstance(event, Cascaded) and curve in range(4):
            self.set("coverage", round(min(1.0, max(0.01, x / 100)), 2))

    def _go(self, position: int) -> None:
        preset = self.preset
        if self._seen and isinstance(self._seen[0].event, Cascaded):
            self.set("half_width", position / WIDTHS if position >= 0 else 1.0)
        else:
            super()._go(position)
        self.preset = preset


def _percent(share: float) -> str:
    return f"{100 * share:5.1f}" if share == share else "    –"


def _cascade_story(seen: Cascaded) -> Story:
    held = "" if seen.stages.target_risk != seen.stages.target_risk else f" The line stands where {100 * seen.stages.target_risk:.0f} % risk is met."
    if seen.half_width == 0:
        return Story("Images stand from the surest to the least sure. Those left of the red line are answered after one noisy look; the curve says "
                     f"how many of these answers are wrong. No second look is taken.{held}", "widen the window, or press play.")
    return Story("Images stand from the surest to the least sure; those left of the red line are answered. Only the images in the band, near the "
                 "line, get further looks (simulated: more noise draws of the same digit). Far left they are mostly right, far right refused "
                 f"anyway.{held} The orange rival spends as much on the least sure.",
                 "move the share to answer to 1. Where have the two curves gone?")


def _limit_story(seen: Selected) -> Story:
    known = seen.certificates
    if not seen.chosen:
        return Story(f"Nothing can be certified at this limit with {known.n} calibration images, so every image is refused: silence is never wrong.",
                     "allow more wrong answers.")
    return Story(f"Images stand from the surest to the least sure. The blue curve bounds the wrong answers from {known.n} calibration images alone; "
                 f"tests find where it crosses the red limit, and everything surer is answered. Grey is what then happens on test images: "
                 f"{100 * seen.risk:.1f} % wrong. The limit is broken in at most {100 * known.delta:g} of 100 calibrations.",
                 "drag the limit to 0.05. How much silence does it cost?")


def _policy_story(seen: Walked) -> Story:
    now: PolicyStep = seen.now
    course = f"its cost went from {seen.path[0].cost:.2f} to {now.cost:.2f}" if now.step else "it stands where the authors start"
    if now.protocol == "as published":
        rule = ("As published, it is rewarded and judged on the same images and silence counts as right: "
                f"{100 * seen.published_accuracy:.0f} % accuracy.")
    else:
        rule = "Thresholds are recalibrated and the result is counted on fresh images."
    return Story(f"A tiny network moves two levels over a map of costs (right: yellow is cheap, the star cheapest). After {now.step} updates "
                 f"{course}. The diamond says how much it answers, sets included, and how often that misses the truth; the triangle, its single "
                 f"labels alone. {rule}",
                 "press the preset Learns or wanders, then change the seed.")
