"""Certified training: which answers no small change can flip, proved by boxes, and what training on boxes does to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from glasshouse.schema.events.certification import Inspected
from glasshouse.schema.guarantee import Guarantee
from glasshouse_widgets.figures import certification
from glasshouse_widgets.labs.base import Lab, Reading, Shown, Slot, Story

SEE = ("Every dot is a real image within eps of the chosen one; the square is all that bounds allow. Both show how far the true label "
       "stays ahead of its two nearest rivals. {outcome} Training on boxes shrinks the square towards the dots.")
OUTCOME = {
    "certified": "The square lies clear of the hatched part, so no image within eps is read otherwise: proved.",
    "unknown": "The square enters the hatched part, the dots do not: perhaps safe, but nothing is proved.",
    "broken": "A dot in the hatched part is read otherwise, or an attack found such an image.",
    "wrong": "This image is misread before anything is changed.",
}
TRY = {
    "certified": "Raise test eps until the square touches the hatched part.",
    "unknown": "Lower test eps, or play the training: the square shrinks.",
    "broken": "Lower test eps until it is certified; then choose a harder image below.",
    "wrong": "Choose another image: click a blue square below.",
}


class CertificationLab(Lab):
    """One run of training, played; everything about a moment of it moves by looks."""

    family: ClassVar[str] = "certification"
    title: ClassVar[str] = "Certified training"
    question: ClassVar[str] = "Which answers can no small change of the image flip?"
    sentence: ClassVar[str] = "A network is trained on boxes of images, and its answers can be proved: nothing within a radius flips them."
    home: ClassVar[str] = "certification.ibp-warmup"
    rank: ClassVar[int] = 70
    sequence: ClassVar[str] = "moment"
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("region", "What bounds allow, and what real images reach", height=480,
             describe="Leads of the true label over its two nearest rivals: a box of bounds around dots of real images; hatched: another answer."),
        Slot("pair", "The image, and under attack", "state", 160, "The chosen digit beside the attacked one."),
        Slot("layers", "The box, layer by layer", "second", 240, "Mean radius of the bounds and of what was reached, by layer, on a log scale."),
        Slot("accuracy", "Right, spared, certified", "second", 240, "Shares of test images over training."),
        Slot("tightness", "How tight the bounds are", "second", 240, "Best over propagated radius, over training."),
        Slot("radii", "Each image's radius; click one", "second", 240,
             "For every test image the radius it is certified up to and the radius it was broken at.", True))

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        seen, theme = _seen(shown), shown.theme
        their = _seen(other) if other else None
        if name == "region":
            return certification.region(seen, theme, narrow=other is not None)
        if name == "pair":
            return certification.pair(seen, theme)
        if name == "radii":
            return certification.radii(seen, theme)
        drawing = {"layers": certification.layers, "accuracy": certification.accuracies, "tightness": certification.tightness}[name]
        return drawing(seen, their, theme)

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """A row per real image around the chosen one, itself first, with what bounds allow; leads are in logits."""
        seen = _seen(shown)
        found: dict[str, Iterable[Any]] = {"real_image": range(len(seen.leads))}
        for k, rival in enumerate(seen.rivals):
            found |= {f"lead_over_{rival}": seen.leads[:, k], f"lead_over_{rival}_at_least": [seen.lead_box[0, k]] * len(seen.leads),
                      f"lead_over_{rival}_at_most": [seen.lead_box[1, k]] * len(seen.leads)}
        return found

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        seen = _seen(shown)
        count = len(seen.labels)
        radius = float(seen.checkpoint.certified_radius[seen.image])
        return (Reading("certified", f"{100 * seen.certified:5.1f}", "%", f"Of {count} test images: proved to keep their label within test eps."),
                Reading("spared", f"{100 * seen.attacked:5.1f}", "%", "Not flipped by the attack within test eps; a better attack could flip more."),
                Reading("read rightly", f"{100 * seen.clean:5.1f}", "%", "Of the test images as they are."),
                Reading("tightness", f"{seen.local_tightness:5.3f}", "", "Radius of the best box over that of the bounds; 1 is exact."),
                Reading("this image", f"{radius:5.3f}" if radius >= 0 else "    –", "eps", "The radius up to which the chosen image is certified."))

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        verdict = _seen(shown).verdict
        return Story(SEE.format(outcome=OUTCOME[verdict]), TRY[verdict])

    def promise(self, shown: Shown, actual: Guarantee) -> Guarantee:
        """A promise to nobody is none."""
        seen = _seen(shown)
        return actual if seen.certified else actual.downgraded("none", f"No test image is certified within {seen.eps:.3g} at this moment.")

    def own_state(self, shown: Shown) -> Mapping[str, Any]:
        return _seen(shown).checkpoint.extra

    def span(self, shown: Shown) -> tuple[int, int]:
        return _seen(shown).moment, _seen(shown).moments

    def coupling(self, shown: Shown, other: Shown) -> str:
        return "Both learn from the same images in the same batches and are judged on the same others."

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        number = point.get("customdata")
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            return
        if slot == "radii":
            self.set("image", number)
        elif slot in ("accuracy", "tightness") and self.player is not None:
            self.player.scrub(number)


def _seen(shown: Shown) -> Inspected:
    return cast(Inspected, shown.event)
