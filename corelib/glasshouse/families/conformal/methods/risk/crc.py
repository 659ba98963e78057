"""Conformal risk control. Angelopoulos, Bates, Fisch, Lei, Schuster 2024."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

import numpy as np

from glasshouse.families.conformal.risk.interface import Choice
from glasshouse.families.conformal.risk.table import Table, price
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class CRC:
    """The smallest lambda at which the calibration pages, and one more page with the worst loss, still cost at most alpha on average.

    lambda-hat = inf{lambda : n/(n + 1) R-hat(lambda) + B/(n + 1) <= alpha}, with the largest loss B = 1 here. The worst page stands for the test
    page nobody has seen. Losses are counted in whole units and alpha is read as the decimal written, so the comparison is exact. Where
    no lambda satisfies it, the largest is taken, whose sets hold every label and cost nothing.

    With the loss 0 or 1 for missing the truth this is split conformal prediction, and lambda-hat the same order statistic.
    """

    paper: ClassVar[Paper] = Paper("Conformal Risk Control", "Angelopoulos, Bates, Fisch, Lei, Schuster", 2024, arxiv="2208.02814",
                                   where="section 2, the choice of lambda-hat and Theorem 1")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "risk", "The expected loss of a page is at most alpha.",
        assumptions=("calibration and test pages are exchangeable", "the loss is at most 1 and never grows with lambda",
                     "the model was not trained on them", "alpha was chosen without looking at the calibration pages"),
        scope="on average over calibration samples and test pages: one sample may do worse")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "What a promise costs", x="alpha", y="labels", x_label="risk allowed (alpha)", y_label="labels a page",
             note="On the calibration pages, from alpha 0.01 to 0.50."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Every label counts", "What if one label missed is as bad as all?", {"loss": "missed-any", "alpha": 0.1}, problem="digit-pages"),
        Preset("Nine pages", "What can nine calibration pages promise?", {"calibration_size": 9, "alpha": 0.09}, problem="digit-pages"),
        Preset("Nothing to see", "When noise hides the digits, is the promise still kept?", {"noise": 1.5, "alpha": 0.1}, problem="digit-pages"))

    def choose(self, table: Table, alpha: Fraction) -> Choice:
        """sum_i L_i(lambda) + B <= alpha (n + 1), in whole units of loss."""
        most = math.floor(alpha * table.unit * (table.n + 1)) - table.unit
        passed = table.total <= most
        evidence = (table.total + table.unit) / (table.unit * (table.n + 1))
        limit = np.full(len(evidence), float(alpha))
        if not passed.any():
            return Choice(table.last, evidence, limit, False, f"{table.n} calibration pages are too few for alpha = {float(alpha):g}: "
                                                              f"{math.ceil(1 / alpha) - 1} are needed")
        return Choice(int(np.argmax(passed)), evidence, limit, False)

    def promised(self, n: int) -> Guarantee:
        return replace(self.guarantee, statement=f"With {n} calibration pages, the expected loss of a page is at most alpha.")

    def extra(self, table: Table) -> Mapping[str, np.ndarray]:
        return price(table, lambda losses, alpha: self.choose(losses, alpha).index)
