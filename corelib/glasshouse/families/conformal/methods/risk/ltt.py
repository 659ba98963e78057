"""Learn then Test. Angelopoulos, Bates, Candès, Jordan, Lei 2021."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from scipy.special import bdtr, rel_entr

from glasshouse.families.conformal.risk.interface import Choice
from glasshouse.families.conformal.risk.table import Table, price
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class LTT:
    """Every lambda is a hypothesis "its risk is above alpha"; a lambda may be used once a test has rejected that.

    The p-value of a lambda is, for losses of 0 or 1, the chance of so few errors among n pages if each fails with probability alpha,
    P(Bin(n, alpha) <= errors); for other losses in [0, 1] the Hoeffding-Bentkus bound
    min(exp(-n h1(min(R-hat, alpha), alpha)), e P(Bin(n, alpha) <= ceil(n R-hat))), h1 the Kullback-Leibler divergence of Bernoulli laws.
    Of the rejected lambdas the smallest is used, since its sets are the smallest.

    ``procedure`` keeps the chance of any false rejection below ``delta``: *fixed-sequence* tests from the safest lambda downwards, each
    at delta, and stops at the first that fails; *bonferroni* tests each of the J + 1 lambdas at delta / (J + 1).
    """

    paper: ClassVar[Paper] = Paper("Learn then Test: Calibrating Predictive Algorithms to Achieve Risk Control",
                                   "Angelopoulos, Bates, Candès, Jordan, Lei", 2021, arxiv="2110.01052",
                                   where="Hoeffding-Bentkus p-values, Bonferroni and fixed sequence testing")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "PAC", "With probability at least 1 - delta over calibration samples, the risk of the chosen lambda is at most alpha.",
        assumptions=("calibration and test pages are independent draws of one law", "the loss lies in [0, 1]",
                     "the model was not trained on them", "alpha and delta were chosen without looking at the calibration pages"),
        scope="for this very calibration sample, unless it is one of the unlucky share delta")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "What a promise costs", x="alpha", y="labels", x_label="risk allowed (alpha)", y_label="labels a page",
             note="On the calibration pages; where the line is missing, nothing is certified."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Too few pages", "What can be certified with forty pages?", {"calibration_size": 40, "alpha": 0.05}, problem="digit-pages"),
        Preset("All at once", "What does it cost to test all lambdas at once?", {"procedure": "bonferroni", "alpha": 0.1},
               problem="digit-pages"),
        Preset("Nearly certain", "How much larger are sets that may fail once in a thousand samples?", {"delta": 0.001, "alpha": 0.1},
               problem="digit-pages"))

    delta: Annotated[float, Ge(0.001), Le(0.5), Knob(
        cost="live", group="how it tests", step=0.001, log=True, label="unlucky samples (delta)",
        help="the share of calibration samples for which the promise may fail")] = 0.1
    procedure: Annotated[Literal["fixed-sequence", "bonferroni"], Knob(
        cost="live", group="how it tests", label="many tests", help="how the chance of a false alarm is shared among the lambdas")] = "fixed-sequence"

    def choose(self, table: Table, alpha: Fraction) -> Choice:
        """The smallest lambda whose hypothesis is rejected, or none."""
        p = p_values(table, float(alpha))
        level = self.delta if self.procedure == "fixed-sequence" else self.delta / len(p)
        rejected = p <= level
        if self.procedure == "fixed-sequence":                              # from the largest lambda down to the first that fails
            rejected = np.logical_and.accumulate(rejected[::-1])[::-1]
        limit = np.full(len(p), level)
        if not rejected.any():
            return Choice(-1, p, limit, True, f"no lambda passes its test at alpha = {float(alpha):g} and delta = {self.delta:g} "
                                              f"with {table.n} calibration pages")
        return Choice(int(np.argmax(rejected)), p, limit, True)

    def promised(self, n: int) -> Guarantee:
        return replace(self.guarantee, level=1 - self.delta, statement=(
            f"For at least {100 * (1 - self.delta):.4g} % of samples of {n} calibration pages, the risk of what is chosen is at most alpha."))

    def extra(self, table: Table) -> Mapping[str, np.ndarray]:
        return price(table, lambda losses, alpha: self.choose(losses, alpha).index)


def p_values(table: Table, alpha: float) -> np.ndarray:
    """float64 [J + 1]: valid for "the risk is above alpha" at each lambda; 1 without pages."""
    n = table.n
    if n == 0:
        return np.ones(len(table.total))
    errors = -(-table.total // table.unit)                                  # ceil(n R-hat), in whole numbers
    binomial: np.ndarray = bdtr(errors.astype(np.float64), n, alpha)
    if table.binary:
        return binomial
    a = np.minimum(table.risk, alpha)
    h1 = rel_entr(a, alpha) + rel_entr(1 - a, 1 - alpha)
    bound: np.ndarray = np.minimum(np.minimum(np.exp(-n * h1), np.e * binomial), 1.0)
    return bound
