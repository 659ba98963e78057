"""Code with holes: a guessed program loses the parts that the model doubts, until the rest is right as often as promised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, cast

from glasshouse.schema.events.conformal_code import Holed, Resamples
from glasshouse.schema.guarantee import Guarantee
from glasshouse_widgets.figures.conformal import code, code_budget
from glasshouse_widgets.labs.base import Action, Reading, Shown, Slot, Story
from glasshouse_widgets.labs.peeking import Watched


class CodeHolesLab(Watched):
    """One step, no player: everything but the costs and the data moves by looks."""

    family: ClassVar[str] = "conformal"
    room: ClassVar[str] = "conformal.code"
    title: ClassVar[str] = "Code with holes"
    question: ClassVar[str] = "Which parts of a guessed program should be left open, so that the rest can be trusted?"
    sentence: ClassVar[str] = "A program with holes stands for all programs that fit it, and the true one is among them as often as promised."
    home: ClassVar[str] = "conformal.pac-code"
    rank: ClassVar[int] = 64
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("program", "One statement: what is kept, what becomes a hole, and its tree", height=480,
             describe="A Python statement as the model guessed it, with holes in place of what it doubts, the true one, and the syntax tree."),
        Slot("promise", "How often the set misses", "state", 150, "The share of wrong test programs against the promised share."),
        Slot("removed", "What a stricter promise costs", "state", 220, "Share of nodes removed against eps, one line for each number of holes.",
             twice=False),
        Slot("errors", "The largest budget with few enough errors", "second", 240,
             "Wrong calibration programs against the budget, with the number that is allowed."),
        Slot("statements", "Test statements as sets; click one", "second", 240, "A list of statements with holes; a click chooses one."))
    actions: ClassVar[tuple[Action, ...]] = (
        Action("resamples", "Calibrate 500 times", "How often is the promise broken? Watch how often the set misses.", "Stop calibrating"),)

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        seen, theme = cast(Holed, shown.event), shown.theme
        if name == "program":
            return code.program(seen, theme, half=other is not None)
        if name == "errors":
            return code_budget.errors(seen, theme)
        if name == "statements":
            return code.statements(seen, theme)
        if name == "promise":
            studied = shown.studies.get("resamples")
            return code_budget.kept_promise(seen, studied if isinstance(studied, Resamples) and "resamples" in shown.fresh else None, theme)
        return code_budget.removed(seen, cast(Holed, other.event) if other else None, theme)

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """A row per node of the statement's tree."""
        seen = cast(Holed, shown.event)
        guess = seen.guess
        return {"node": range(len(guess)), "parent": guess.parent, "syntax": guess.kind, "text": guess.own, "doubt_nats": guess.cost,
                "is_wrong": guess.wrong, "kept": seen.kept}

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        seen = cast(Holed, shown.event)
        allowed = "none" if seen.allowed < 0 else str(seen.allowed)
        return (Reading("may be wrong", f"{100 * seen.eps:5.1f}", "%", "eps: the share of programs with holes that may not fit the true one."),
                Reading("were wrong", f"{100 * seen.error:5.1f}", "%", f"On the {seen.programs.m} test programs."),
                Reading("removed", f"{100 * seen.removed:5.1f}", "%", "Nodes that became holes, on average over the test programs."),
                Reading("errors allowed", f"{allowed:>4}", f"of {seen.programs.n}", "So few wrong calibration programs prove the promise."))

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        seen = cast(Holed, shown.event)
        if seen.why_none:
            return Story(f"Every program is one hole, which is always right and says nothing: {seen.why_none}.",
                         "use more calibration statements, or promise less.")
        return Story(f"Three letters of every word are typed, and a language model completes the program. What it doubts becomes holes "
                     f"({code.HOLE}), at most {seen.holes} a program; what is kept must fit the true program in all but {100 * seen.eps:.0f} of "
                     f"100 cases. Doubt of up to {seen.budget:.2g} nats may stay: the largest budget with at most {seen.allowed} wrong calibration "
                     "programs. The code, the model and its doubts are real.",
                     "drag the share that may be wrong from 0.40 down to 0.05. What folds first?")

    def promise(self, shown: Shown, actual: Guarantee) -> Guarantee:
        seen = cast(Holed, shown.event)
        if seen.why_none:
            return replace(actual, statement=f"Every program fits one hole, so nothing can be wrong and nothing is said: {seen.why_none}.")
        return super().promise(shown, replace(actual, level=1 - seen.delta, statement=(
            f"With probability at least {1 - seen.delta:.2g} over calibrations on {seen.programs.n} programs, at most {100 * seen.eps:.3g} % of the "
            "programs with holes do not fit the true one.")))

    def own_state(self, shown: Shown) -> Mapping[str, Any]:
        return shown.event.extra

    def coupling(self, shown: Shown, other: Shown) -> str:
        return "Both see the same statements and guesses."

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        number = point.get("customdata")
        if slot == "statements" and isinstance(number, int) and number >= 0:
            self.set("statement", number)
