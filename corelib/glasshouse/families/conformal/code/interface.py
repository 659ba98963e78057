"""What a method of this room is, the statements it makes holes in, and what can be looked at afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from glasshouse.families.conformal.code.holes import MOST_HOLES
from glasshouse.families.conformal.code.trees import Tree
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement, what a model made of what was typed, and how sure the model was.

    ``wrong`` bool [N]: the nodes of ``guess`` that ``truth`` does not have. ``word_end`` and ``token_end`` int64, ascending characters of
    ``guess.text``; ``word_nll`` and ``token_nll`` float64, nats: of the words the model chose and of its text's tokens.
    """

    truth: Tree
    guess: Tree
    typed: str
    wrong: np.ndarray
    word_end: np.ndarray
    word_nll: np.ndarray
    token_end: np.ndarray
    token_nll: np.ndarray


@dataclass(frozen=True, eq=False)
class Pool:
    """Statements in random order, and which calibrate and which test: int64 indices, disjoint.

    ``solved`` maps the repr of a method to what it keeps of every statement, bool [M, T, N] each, where that was recorded.
    """

    statements: tuple[Statement, ...]
    calibration: np.ndarray
    test: np.ndarray
    solved: Mapping[str, tuple[np.ndarray, ...]]


@runtime_checkable
class Method(Protocol):
    """A published way to make holes. A frozen dataclass whose fields are its knobs.

    ``grid`` gives the budgets float64 [T], descending to 0, before any statement is seen; ``cost`` the nodes' costs float64 [N], finite and not
    negative; ``keep`` the nodes kept bool [M, T, N] for at most 1, 2 ... M holes.
    """

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]

    def grid(self) -> np.ndarray: ...

    def cost(self, statement: Statement) -> np.ndarray: ...

    def keep(self, parent: np.ndarray, cost: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Look:
    """What a person can look at once every budget is solved."""

    eps: Annotated[float, Gt(0), Lt(1), Knob(cost="look", group="what is promised", label="share that may be wrong", step=0.01,
                                             help="eps: how many of the programs with holes may not fit the true program")] = 0.1
    delta: Annotated[float, Gt(0), Lt(1), Knob(cost="look", group="what is promised", label="chance of a bad calibration", step=0.01,
                                               help="delta: how often, over calibrations, that share may be exceeded")] = 0.1
    holes: Annotated[int, Ge(1), Le(MOST_HOLES), Knob(cost="look", group="what a set looks like", label="holes at most", help="m")] = 2
    statement: Annotated[int, Ge(0), Le(9999), Knob(cost="look", group="where you look", label="test statement")] = 10
