"""PAC prediction sets for large language models of code. Khakhar, Mell, Bastani 2023."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.code import holes
from glasshouse.families.conformal.code.interface import Statement
from glasshouse.families.conformal.code.trees import shared
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

CAP = 10.0                      # nats: a node costs no more, as in the authors' code
HIGHEST, LOWEST = 256.0, 0.002  # nats: of the budgets in equal ratios; the highest pays for 25 nodes at the cap
DIGITS = 4                      # of a cost: finer differences are below what the integer program resolves


@dataclass(frozen=True)
class PACCode:
    """Subtrees that the model doubts become holes, until what is left is right as often as promised.

    A node of the guessed program's syntax tree costs the negative log-likelihood of its own text, cut at 10. For budgets B_1 > B_2 > ... and at
    most m holes, an integer program keeps as many nodes as each budget pays for, x[t, v] = 1, nested in t. The largest budget
    with at most k errors among n calibration programs is used, k = max{h : P(Binomial(n, eps) <= h) <= delta}.

    Ours: budgets in equal ratios with 0 last (the authors space the likelihood threshold evenly, which wastes most budgets near 0); a token that
    spans several nodes is shared by characters (theirs charges each in full); siblings are matched by position (theirs by text); a
    program left out whole counts as one hole (theirs as none); costs in steps of 0.0001.
    """

    paper: ClassVar[Paper] = Paper("PAC Prediction Sets for Large Language Models of Code", "Khakhar, Mell, Bastani", 2023, arxiv="2302.08703",
                                   where="the integer program for nested prediction sets and its calibration; costs as in the authors' code")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "PAC", "With probability at least 1 - delta over calibrations, at most a share eps of the programs with holes does not fit the true one.",
        assumptions=("calibration and test programs are drawn independently from one law", "the model was not trained on them",
                     "eps, delta, the holes and the budgets were chosen without looking at the calibration programs"),
        scope="over all programs of that law, not for each program")
    views: ClassVar[tuple[View, ...]] = (
        View("matrix", "What each budget keeps here", z="kept", x="node", y="budget",
             note="Yellow is kept. A smaller budget never brings a node back."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Almost never wrong", "What is left of a program when only 5 in 100 may be wrong?", {"eps": 0.05, "holes": 2}),
        Preset("One hole or four", "Do more holes save code?", {"eps": 0.15, "holes": 4}),
        Preset("Twenty programs", "Can twenty programs promise anything?", {"calibration_size": 20, "eps": 0.1}),
        Preset("Text, not thought", "Is a rare name a wrong name?", {"cost_of": "text", "eps": 0.15}))

    cost_of: Annotated[Literal["words", "text"], Knob(
        cost="job", group="what it costs to keep", label="surprise at",
        help="words: the model's doubt about each word it chose; text: how unusual the chosen text is, token by token")] = "words"
    spacing: Annotated[Literal["ratios", "paper"], Knob(
        cost="job", group="budgets", help="equal ratios, or the paper's evenly spaced likelihoods", more=True)] = "ratios"
    count: Annotated[int, Ge(4), Le(64), Knob(cost="job", group="budgets", label="how many", help="more give finer steps", more=True)] = 32
    joint: Annotated[bool, Knob(cost="job", group="budgets", label="all in one program",
                                help="else each budget is solved alone: faster, and a tighter promise may bring back a node", more=True)] = True

    def grid(self) -> np.ndarray:
        """B_t = -ln tau_t, descending, 0 last."""
        if self.spacing == "paper":
            return np.append(-np.log(np.linspace(1e-5, 1 - 1e-5, self.count - 1)), 0.0)
        return holes.budgets(self.count, HIGHEST, LOWEST)

    def cost(self, statement: Statement) -> np.ndarray:
        """c_v: the nats of what v owns, at most 10."""
        ends, values = (statement.word_end, statement.word_nll) if self.cost_of == "words" else (statement.token_end, statement.token_nll)
        rounded: np.ndarray = np.minimum(shared(statement.guess, ends, values), CAP).round(DIGITS)
        return rounded

    def keep(self, parent: np.ndarray, cost: np.ndarray) -> np.ndarray:
        """x[t, v] for m = 1 ... 4."""
        return holes.keep(parent, cost, self.grid(), holes.MOST_HOLES, self.joint)
