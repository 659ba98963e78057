"""What a risk-controlling method is, the pages it is calibrated on, and what can be looked at afterwards.

lambda makes sets larger, L(lambda) in [0, 1] is a page's loss and never grows with lambda, R(lambda) its expectation, R-hat its mean over n
calibration pages, alpha the risk that is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, ClassVar, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from glasshouse.families.conformal.risk.table import Loss, Table
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True, eq=False)
class Choice:
    """``index`` is the place of the chosen lambda in the grid, -1 for none; ``why_not`` then says what is missing.

    ``evidence`` float64 [J + 1] is computed for every lambda, ``limit`` float64 [J + 1] what it may at most be; ``p_values`` tells p-values from
    corrected risks.
    """

    index: int
    evidence: np.ndarray
    limit: np.ndarray
    p_values: bool
    why_not: str = ""


@runtime_checkable
class Method(Protocol):
    """A published rule that chooses lambda from the losses of calibration pages. A frozen dataclass whose fields are its knobs.

    ``choose`` is asked for every alpha anew and must take about a millisecond. ``promised`` says what it promises with n pages.
    """

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]

    def choose(self, table: Table, alpha: Fraction) -> Choice: ...

    def promised(self, n: int) -> Guarantee: ...

    def extra(self, table: Table) -> Mapping[str, np.ndarray]: ...


@dataclass(frozen=True, eq=False)
class Pages:
    """A finite population of N pages with a fixed model's probabilities, and a sample of it drawn with replacement.

    ``probs`` float64 [N, K]: that a label stands on the page; ``truth`` bool [N, K]; ``entry`` int64 [N, K] as `table.entries` gives.
    ``calibration`` int64 [n] and ``test`` int64 [m] are independent draws, so the true risk is the population's mean. ``images`` uint8
    [D, h, w] or empty; ``places`` int64 [N, most] says which image stands where on a page, -1 for none.
    """

    probs: np.ndarray
    truth: np.ndarray
    entry: np.ndarray
    calibration: np.ndarray
    test: np.ndarray
    images: np.ndarray
    places: np.ndarray
    loss: Loss


@dataclass(frozen=True)
class Look:
    """What a person can look at once every lambda's losses are counted."""

    alpha: Annotated[float, Gt(0), Lt(1), Knob(cost="look", group="what is promised", step=0.01, label="risk allowed (alpha)",
                                               help="the loss that is allowed on average, as a share")] = 0.1
    page: Annotated[int, Ge(0), Le(9999), Knob(cost="look", group="where you look", label="test page")] = 0
