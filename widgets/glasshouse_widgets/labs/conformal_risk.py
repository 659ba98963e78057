"""Risk control: not only whether the truth is in the set, but how much of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from glasshouse.schema.events.conformal_risk import Chosen, RiskResplits
from glasshouse.schema.guarantee import Guarantee
from glasshouse_widgets.figures.conformal import risk
from glasshouse_widgets.labs import exports
from glasshouse_widgets.labs.base import Action, Reading, Shown, Slot, Story
from glasshouse_widgets.labs.peeking import Watched

SEE = ("Each page shows digits; chips are the labels its set holds, likely ones first. Green ones stand on the page, red hollow ones were "
       "missed. Lambda says how unlikely a label may be and still enter. {how} Over all pages of this simulation, what is missed comes to "
       "{risk:.3f} a page; {allowed:.2f} is allowed.")
HOW = {False: "It is the smallest at which {n} calibration pages and one worst page keep the promise.",
       True: "It is the smallest that a test has certified from {n} calibration pages."}
NONE = "Every label is shown: {why}. {more}"
MORE = {False: "A sample so small cannot rule out one very bad page.", True: "That is an answer too: nothing is used that is not certified."}


class RiskLab(Watched):
    """One step, no player: losses are counted once, every alpha is a look."""

    family: ClassVar[str] = "conformal"
    room: ClassVar[str] = "conformal.risk"
    title: ClassVar[str] = "Risk control"
    question: ClassVar[str] = "Several answers on one page: how many may be missed?"
    sentence: ClassVar[str] = "One dial makes every label set larger; a promise about the average loss says how far to turn it."
    home: ClassVar[str] = "conformal.crc"
    rank: ClassVar[int] = 62
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("pages", "Pages of digits, and the labels their sets hold", height=480,
             describe="A grid of test pages with the labels of each set below; missed labels are hollow and their pages framed."),
        Slot("samples", "The true risk of what was chosen", "state", 190,
             "Histogram of the true risk over calibration samples, with alpha."),
        Slot("risk", "What every lambda costs", "second", 240, "Mean loss against lambda, with alpha and the chosen lambda."),
        Slot("evidence", "What lets a lambda be used", "second", 240, "Corrected risk or p-value of every lambda, and what it must stay below.",
             True),
        Slot("page", "One page, label by label", "second", 240, "Probability of every label on the chosen page."))
    actions: ClassVar[tuple[Action, ...]] = (
        Action("resamples", "Draw 100 other samples", "New calibration pages each time: how often is the true risk above alpha?", "Stop drawing"),)

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        seen, theme = cast(Chosen, shown.event), shown.theme
        if name == "pages":
            return risk.pages(seen, theme, risk.COLUMNS // (2 if other else 1))
        if name == "risk":
            return risk.risk(seen, cast(Chosen, other.event) if other else None, theme)
        if name == "evidence":
            return risk.evidence(seen, theme)
        if name == "page":
            return risk.one_page(seen, theme)
        studied = shown.studies.get("resamples")
        return risk.samples(seen, studied if isinstance(studied, RiskResplits) and "resamples" in shown.fresh else None, theme)

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """A row per test page."""
        seen = cast(Chosen, shown.event)
        return {"test_page": range(seen.losses.m), "true_labels": exports.listed(seen.losses.truth), "set": exports.listed(seen.sets),
                "missed": exports.listed(seen.missed)}

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        seen = cast(Chosen, shown.event)
        chosen = f"{seen.lambda_hat:5.3f}" if seen.certified else " none"
        return (Reading("true risk", f"{seen.risk:5.3f}", "",
                        f"Mean loss over all pages there are, which only a simulation knows; {seen.alpha:.3f} is allowed."),
                Reading("calibration risk", f"{seen.calibration_risk:5.3f}", "", f"Mean loss of the {seen.losses.n} calibration pages."),
                Reading("lambda", chosen, "", "A label is in the set if its probability is at least 1 - lambda."),
                Reading("labels a page", f"{seen.mean_size:5.2f}", "", "On average over the test pages; fewer say more."))

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        seen = cast(Chosen, shown.event)
        if seen.why_not:
            return Story(NONE.format(why=seen.why_not, more=MORE[seen.p_values]), "use more calibration pages, or allow more risk.")
        how = HOW[seen.p_values].format(n=seen.losses.n)
        return Story(SEE.format(how=how, risk=seen.risk, allowed=seen.alpha),
                     "draw 100 other samples: how often is the true risk above alpha? Then change the method above.")

    def promise(self, shown: Shown, actual: Guarantee) -> Guarantee:
        seen = cast(Chosen, shown.event)
        if seen.p_values and not seen.certified:
            actual = actual.downgraded("none", "Nothing is certified at this alpha, so nothing is promised but that every label is shown.")
        return super().promise(shown, actual)

    def coupling(self, shown: Shown, other: Shown) -> str:
        return "Both see the same pages."

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        number = point.get("customdata")
        if slot == "pages" and isinstance(number, int) and number >= 0:
            self.set("page", number)
        if slot == "risk" and isinstance(point.get("y"), (int, float)):
            self.set("alpha", round(min(0.99, max(0.01, float(point["y"]))), 2))
