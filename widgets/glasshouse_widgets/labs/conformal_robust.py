"""Robust prediction sets: what is left of a promise when somebody changes the image on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from glasshouse.schema.events.conformal_robust import ProvedResplits, RobustSets
from glasshouse.schema.guarantee import Guarantee
from glasshouse_widgets.figures.conformal import robust
from glasshouse_widgets.labs import exports
from glasshouse_widgets.labs.base import Action, Reading, Shown, Slot, Story
from glasshouse_widgets.labs.peeking import Watched

CALM = ("Images are as they were. Ordinary sets hold the truth in {plain:.0f} % of them, robust ones in {robust:.0f} %: they are larger, since they "
        "must still hold it when an attacker has moved the image by {radius:.2f}.")
UNDER = ("An attacker who knows the network has changed every image by at most {attack:g}{seen}. Ordinary sets then hold the truth in "
         "{plain:.0f} % of images. Robust sets read many noisy copies, whose average an attack can move only so far, and reach that much "
         "further: {robust:.0f} % hold. {end}")
FAINT, FAINT_UP_TO = "; you hardly see it", 0.25
WITHIN = "The shaded part is proved for every attack, tried or not."
CLAIMED = "The shaded part is claimed, not proved: the mean over {n_mc} copies is taken for exact."
BEYOND = "The attack goes beyond their radius of {radius:.2f}: nothing is promised here."
CROWDED = "scores lie so close together that the shift an attack may cause reaches past all of them"
FULL = "Every robust set holds every label: {why}. Such a set is safe and says nothing."


class AttackLab(Watched):
    """Attacks of growing strength arrive one by one; radius, alpha and beta are looks."""

    family: ClassVar[str] = "conformal"
    room: ClassVar[str] = "conformal.robust"
    title: ClassVar[str] = "Sets under attack"
    question: ClassVar[str] = "Somebody changes the image on purpose: does the set still hold the truth?"
    sentence: ClassVar[str] = "Sets made from noisy copies keep their promise against every attack up to a radius; ordinary ones break."
    home: ClassVar[str] = "conformal.rscp-plus"
    rank: ClassVar[int] = 63
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("attacked", "Images before and after the attack, and what the sets then say; click one", height=480,
             describe="Pairs of test images before and after the attack, with the labels of the ordinary and of the robust set; a missed truth "
                      "is hollow."),
        Slot("survival", "How many sets survive how strong an attack; click to choose one", "state", 260,
             "Coverage of robust and ordinary sets against the radius of the attack in l2, where one pixel from black to white is 1, with the part "
             "that is proved shaded."),
        Slot("reach", "The chosen image, label by label", "second", 240,
             "For each label the measured score and how low it may have been before the attack, with the threshold."),
        Slot("sizes", "What robustness costs: labels in a set", "second", 240, "Share of ordinary and robust sets by number of labels."))

    actions: ClassVar[tuple[Action, ...]] = (
        Action("resplits", "Split the images 100 times", "Other calibration images each time: how much is proved at the radius of the sets?",
               "Stop splitting"),)

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        seen, theme = cast(RobustSets, shown.event), shown.theme
        if name == "attacked":
            return robust.before_and_after(seen, theme, robust.COLUMNS // (2 if other else 1))
        if name == "survival":
            studied = shown.studies.get("resplits")
            return robust.survival(seen, studied if isinstance(studied, ProvedResplits) and "resplits" in shown.fresh else None, theme)
        if name == "reach":
            return robust.reach(seen, theme)
        return robust.sizes(seen, cast(RobustSets, other.event) if other else None, theme)

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """A row per test image, under the attack shown."""
        seen = cast(RobustSets, shown.event)
        m, labels = seen.smoothed.m, seen.smoothed.labels
        return {"test_image": range(m), "true_label": labels, "ordinary_set": exports.listed(seen.plain_sets),
                "robust_set": exports.listed(seen.sets), "ordinary_holds_truth": seen.plain_sets[range(m), labels],
                "robust_holds_truth": seen.sets[range(m), labels], "withstands": seen.withstood}

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        seen = cast(RobustSets, shown.event)
        m, exact = seen.smoothed.m, seen.smoothed.error == "ignored"
        return (Reading("ordinary hold", f"{100 * seen.plain_coverage:5.1f}", "%", f"Ordinary sets with the truth in them, of {m} under attack."),
                Reading("robust hold", f"{100 * seen.coverage:5.1f}", "%",
                        f"Under the attack shown; {100 * (1 - seen.alpha):.1f} % are promised up to radius {seen.radius:.2f}."),
                Reading("claimed" if exact else "proved", f"{100 * seen.certified:5.1f}", "%",
                        "Robust sets that no attack of this radius can make lose the truth" + (", if means were exact." if exact else ".")),
                Reading("labels, ordinary", f"{seen.plain_mean_size:5.2f}", "", "In an ordinary set on average, under the attack shown."),
                Reading("labels, robust", f"{seen.mean_size:5.2f}", "", "In a robust set on average: the price of robustness."))

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        seen = cast(RobustSets, shown.event)
        if seen.full_because or seen.sets.all():
            return Story(FULL.format(why=seen.full_because or CROWDED), "set the transformation to ptt, or take more noisy copies.")
        end = CLAIMED.format(n_mc=seen.smoothed.n_mc) if seen.smoothed.error == "ignored" else WITHIN
        end = end if seen.attack <= seen.radius else BEYOND.format(radius=seen.radius)
        words = (UNDER if seen.attack else CALM).format(attack=seen.attack, plain=100 * seen.plain_coverage, robust=100 * seen.coverage,
                                                        radius=seen.radius, end=end,
                                                        seen=FAINT if seen.attack <= FAINT_UP_TO else "")
        return Story(words, "raise the radius the sets are made for, then the attack. Which of the two curves falls first?")

    def promise(self, shown: Shown, actual: Guarantee) -> Guarantee:
        seen = cast(RobustSets, shown.event)
        if seen.attack > seen.radius and actual.kind == "adversarial":
            actual = actual.downgraded("none", f"The attack shown goes to {seen.attack:g}, the sets are made for {seen.radius:g}: nothing is "
                                               "promised against it.")
        return super().promise(shown, actual)

    def own_state(self, shown: Shown) -> Mapping[str, Any]:
        return cast(RobustSets, shown.event).smoothed.extra

    def coupling(self, shown: Shown, other: Shown) -> str:
        return "Both see the same images and draws of noise, and attacks by the same recipe."

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        number, x = point.get("customdata"), point.get("x")
        if slot == "attacked" and isinstance(number, int) and number >= 0:
            self.set("image", number)
        if slot == "survival" and isinstance(x, (int, float)):
            self.set("attack", round(min(1.5, max(0.0, float(x))), 3))
