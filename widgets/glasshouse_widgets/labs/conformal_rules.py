"""Rules: what a detector says is corrected by what is known, and the sets are certified against attacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from glasshouse.schema.events.conformal_rules import Attacked, RobustSets
from glasshouse_widgets.figures.conformal import rules
from glasshouse_widgets.labs.base import Action, Reading, Shown, Slot, Story
from glasshouse_widgets.labs.peeking import Watched


class RulesLab(Watched):
    """One step, no player: alpha, radius and image are looks."""

    family: ClassVar[str] = "conformal"
    room: ClassVar[str] = "conformal.rules"
    title: ClassVar[str] = "Sets that know some rules"
    question: ClassVar[str] = "If it is surely even, can it be a seven?"
    sentence: ClassVar[str] = "Weak digit detectors are corrected by rules about even, loop and size; the sets are certified against attacks."
    home: ClassVar[str] = "conformal.colep"
    rank: ClassVar[int] = 67
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("circuit", "One image: what detectors say, and what the rules make of it", height=480, stacked=420,
             describe="Ten digit detectors and three property detectors with their probabilities before and after the rules, and rules as edges."),
        Slot("covered", "How often the truth was in the set", "state", 150, "Coverage without attack, with rules and without."),
        Slot("sizes", "Size of sets that hold under attack", "second", 220, "Mean size of robust sets by radius.", twice=True),
        Slot("certified", "What ordinary sets keep under attack", "second", 220, "Certified coverage by radius, and attacked coverage.", twice=True),
        Slot("images", "Test images; click one", "second", 190, "A page of test images, those framed whose set misses the truth."))
    actions: ClassVar[tuple[Action, ...]] = (
        Action("attack", "Attack the images",
               "Three simple attacks on every test image: does coverage stay above the certificate?", "Stop the attack"),)

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        seen, theme = cast(RobustSets, shown.event), shown.theme
        if name == "circuit":
            return rules.circuit(seen, theme)
        if name == "covered":
            return rules.covered(seen, theme)
        if name == "sizes":
            return rules.sizes(seen, theme)
        if name == "images":
            return rules.images(seen, theme)
        studied = shown.studies.get("attack")
        return rules.certified(seen, studied if isinstance(studied, Attacked) and "attack" in shown.fresh else None, theme)

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """A row per label and property of the image looked at, before and after the rules."""
        seen = cast(RobustSets, shown.event)
        reasoned, i, d = seen.reasoned, seen.image, seen.at
        names = [*map(str, range(reasoned.classes)), *reasoned.properties]
        blank = [None] * len(reasoned.properties)
        found = {"of": names, "before_rules": reasoned.before[i], "after_rules": reasoned.after[i]}
        for word, box in (("before", reasoned.before_box), ("after", reasoned.after_box)):
            found |= {f"{word}_rules_least": box[0, d, i], f"{word}_rules_most": box[1, d, i]}
        return {**found, "in_set": [*seen.sets[1, i].tolist(), *blank], "in_robust_set": [*seen.robust[1, i].tolist(), *blank]}

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        seen = cast(RobustSets, shown.event)
        return (Reading("held the truth", f"{100 * seen.coverage:5.1f}", "%", f"Of the {seen.reasoned.m} test images, unattacked, with rules."),
                Reading("labels in a set", f"{seen.mean_size:5.2f}", "", "On average, with rules; fewer say more."),
                Reading("without rules", f"{float(seen.sizes[0]):5.2f}", "", "Labels in a set from the detectors alone."),
                Reading("under attack", f"{seen.robust_size:5.2f}", "", f"Labels in a set that holds at radius {seen.radius:.2f}, with rules."),
                Reading("without rules", f"{float(seen.robust_sizes[0, seen.at]):5.2f}", "", "The same from the detectors alone."))

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        seen = cast(RobustSets, shown.event)
        if seen.reasoned.calibration == "as published":
            return Story(f"Each digit is asked for apart: yes or no? Each answer is right with 1 - alpha, but the set needs all of them to be. So it "
                         f"holds the truth in {100 * seen.coverage:.0f} %, not {100 * (1 - seen.alpha):.0f} %: only 1 - {seen.reasoned.classes} "
                         "alpha is promised.",
                         "set the calibration to one threshold. What do sets cost then?")
        if seen.reasoned.weight == 0 or seen.reasoned.blend == 0:
            return Story("The rules say nothing now: circles and diamonds are the same, and so are both curves below.", "turn the rule weight up.")
        gain = seen.robust_sizes[1, seen.at] / max(float(seen.robust_sizes[0, seen.at]), 1e-9)
        verdict = "smaller" if gain < 0.99 else "larger" if gain > 1.01 else "no smaller"
        return Story(f"Circles are the votes for one image, diamonds what is left after the rules: a digit whose property is denied falls (dotted "
                     f"red). Rules only lower, and wrong digits fall further. Bars show what an attack of length {seen.radius:.2f} could do: it "
                     f"bends properties too. Sets that hold under it are {verdict} with rules.",
                     "drag the radius up: from where on do rules no longer pay?")

    def coupling(self, shown: Shown, other: Shown) -> str:
        return "Both see the same images and votes where the data are set alike."

    def own_state(self, shown: Shown) -> Mapping[str, Any]:
        return cast(RobustSets, shown.event).reasoned.extra

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        x, number = point.get("x"), point.get("customdata")
        if slot == "images" and isinstance(number, int) and number >= 0:
            self.set("image", number)
        if slot in ("certified", "sizes") and isinstance(x, (int, float)):
            self.set("radius", round(min(0.5, max(0.0, x)) * 20) / 20)
