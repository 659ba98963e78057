"""Selection with guaranteed risk. Geifman and El-Yaniv 2017."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le

from glasshouse.families.conformal.decisions import certifying
from glasshouse.families.conformal.decisions.confidence import Doubt, sureness
from glasshouse.families.conformal.decisions.interface import Pool, tested
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Event
from glasshouse.schema.events.conformal_decisions import Certificates
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class SGR:
    """Answer the surest, as many as tests on calibration points allow while the risk of an answer stays below a limit.

    A threshold on the confidence passes if its bound is below the limit: the largest risk at which so few errors among the calibration
    points that it answers have probability delta / (number of tests). Bisection over the ranks of the calibration points needs
    ceil(log2 n) tests. The published search returns the threshold tried last; here the one that answers most among those passed stands.

    ``search``: the published *bisection*, or a *fixed sequence* (Learn then Test): from the fewest answers that can be certified at all
    upwards, each test at the whole delta, up to the first that fails.
    """

    paper: ClassVar[Paper] = Paper("Selective Classification for Deep Neural Networks", "Geifman and El-Yaniv", 2017, arxiv="1705.08500",
                                   where="Alg. 1, SGR; the bound is eq. 4")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "PAC", "With probability at least 1 - delta over calibration points, at most the share that is allowed of the answers is wrong.",
        assumptions=("calibration and test points are independent draws of one law", "the model was not trained on them",
                     "the limit and the knobs were chosen without looking at the calibration points",
                     "for the bisection: answering more never lowers the true risk"),
        scope="the answers given, on average; nothing is said of the points refused")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "What can be certified", x="share", y="risks", series=("bound", "counted"), x_label="share of calibration images answered",
             y_label="wrong among them"),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Nearly certain", "What does it cost to be wrong about the limit once in a thousand times?", {"delta": 0.001}, problem="digits"),
        Preset("A better model", "How much more can be answered where noise is less?", {"noise": 0.3}, problem="digits"),
        Preset("In turn", "Does testing in turn let more through than bisection?", {"search": "fixed sequence"}, problem="digits"))

    search: Annotated[Literal["bisection", "fixed sequence"], Knob(cost="live", group="how it is certified")] = "bisection"
    delta: Annotated[float, Ge(0.001), Le(0.5), Knob(
        cost="live", group="how it is certified", step=0.001, log=True, help="how often the promise may fail")] = 0.1
    doubt: Doubt = "largest p"

    def states(self, pool: Pool, seeds: Seeds) -> Iterator[Event]:
        """One Certificates event: calibration points are all but the test points."""
        at = np.concatenate((pool.train, pool.policy, pool.calibration))
        known, new = (replace(one, confidence=sureness(one.probs, self.doubt)) for one in
                      (tested(pool, pool.first, at), tested(pool, pool.first, pool.test)))
        tests = certifying.sharing(self.search, known.m)
        thresholds, answered, errors, bounds = certifying.bounds(known.confidence, known.right, self.delta / tests)
        yield Certificates(
            n=known.m, m=new.m, delta=self.delta, sharing=tests, search=self.search, thresholds=thresholds, answered=answered, errors=errors,
            bounds=bounds, tested=new, extra={"share": answered / known.m, "risks": np.array([bounds, errors / answered])})

    def promise(self, events: Sequence[Event]) -> Guarantee:
        return replace(self.guarantee, level=1 - self.delta, statement=(
            f"With probability at least {1 - self.delta:g} over calibration images, at most the share that is allowed of the answers is wrong."))
