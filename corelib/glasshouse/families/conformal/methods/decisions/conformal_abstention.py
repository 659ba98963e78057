"""Learned conformal abstention. Tayebati et al. 2025."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt

from glasshouse.families.conformal.decisions import reinforce
from glasshouse.families.conformal.decisions.interface import Pool, tested
from glasshouse.families.conformal.decisions.selective import risk_bound
from glasshouse.families.conformal.decisions.three_ways import (
    SILENT,
    Points,
    Prices,
    chances,
    cost_surface,
    draw,
    exact_threshold,
    published_threshold,
    tally,
)
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Event
from glasshouse.schema.events.conformal_decisions import PolicyStep, Surface
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

START = (0.85, 0.025)
EVERY = 4                       # steps from one picture to the next
DOUBTS = np.linspace(0, 1, 51)
_BOX = {"published": (np.array((0.75, 0.01)), np.array((0.9, 0.05))), "wide": (np.array((0.05, 0.01)), np.array((0.95, 0.5)))}
_GRID = {"published": (np.linspace(0.75, 0.9, 16), np.linspace(0.01, 0.05, 9)),
         "wide": (np.linspace(0.05, 0.95, 19), np.geomspace(0.01, 0.5, 15))}

Price = Annotated[float, Ge(0), Le(2)]


@dataclass(frozen=True, eq=False)
class _Run:
    """The points a run learns from and reports on. ``known``: scores for learning's thresholds, ``met``: points whose cost is the reward;
    ``reported``: scores for the thresholds in use, ``test``: points shown; ``kept``: points for the certificate, or None."""

    known: np.ndarray
    met: Points
    reported: np.ndarray
    test: Points
    at: np.ndarray
    kept: Points | None


@dataclass(frozen=True)
class ConformalAbstention:
    """Two conformal levels decide between one label, a set and silence; a tiny policy learns the levels by trial and cost.

    alpha and beta are the levels of two quantiles of the scores 1 - p(true label): q_single = S((n+1)(1 - alpha)), a low one, and q_silent =
    S((n+1)(1 - beta)), a high one. A point with doubt 1 - max p gets one label with chance sigmoid(-slope (doubt - q_single)), silence
    with sigmoid(slope (doubt - q_silent)), else the set {y : p_y >= 1 - q_silent}. REINFORCE moves (alpha, beta) by ``step_size`` times
    an action of N(mean, std), both read from the present levels by a network; the reward is minus the cost.

    ``protocol``. *as published*: half of all points give the thresholds, and the cost on the other half is both reward and result.
    *strict* (ours): the reward is counted on points of its own, thresholds are then recalibrated and the result is counted on fresh
    ones. *certified* (ours): beside that, calibration points kept aside bound the risk of what is answered.
    """

    paper: ClassVar[Paper] = Paper(
        "Learning Conformal Abstention Policies for Adaptive Risk Management in Large Language and Vision-Language Models",
        "Tayebati et al.", 2025, arxiv="2502.06884", where="the method as in the authors' code: policy network, cost and training loop")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "heuristic", "A learned policy promises nothing about the answers it gives; the certified protocol adds a bound.",
        scope="the points it was tried on")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "What doubt leads to", x="doubt", y="chance", series=("one label", "a set", "silence"), x_label="doubt: 1 - largest p",
             y_label="chance"),
        View("line", "Cost along the way", x="steps", y="costs", series=("where it learns", "on the test images"), x_label="step",
             y_label="cost"))
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("Learns or wanders", "Does the policy learn, or does it wander?", {"steps": 1000}, problem="digits"),
        Preset("A wider box", "Did the published limits shut out the best policy?", {"box": "wide", "step_size": 0.03, "steps": 400},
               problem="digits"),
        Preset("Hard rules", "What is lost when the dice are taken away?", {"slope": 500.0}, problem="digits"),
        Preset("Certified", "What can be promised about the answers it gives?", {"protocol": "certified"}, problem="digits"))

    protocol: Annotated[Literal["as published", "strict", "certified"], Knob(cost="job", group="how it is judged")] = "strict"
    silence_price: Annotated[Price, Knob(cost="job", group="what things cost", step=0.05, help="for each share of images left unanswered")] = 0.3
    set_price: Annotated[Price, Knob(cost="job", group="what things cost", step=0.05, help="for each label in a set, on average")] = 0.3
    answer_reward: Annotated[Price, Knob(cost="job", group="what things cost", step=0.05, more=True)] = 0.4
    variety_reward: Annotated[Price, Knob(cost="job", group="what things cost", step=0.05, more=True,
                                          help="for using all three ways: their entropy")] = 0.2
    crowding_price: Annotated[Price, Knob(cost="job", group="what things cost", step=0.05, more=True,
                                          help="for single labels beyond 80 % of the images")] = 0.5
    steps: Annotated[int, Ge(1), Le(2000), Knob(cost="job", group="how it learns")] = 200
    slope: Annotated[float, Ge(0.5), Le(500), Knob(cost="job", group="how it decides", log=True,
                                                   help="how sharply chances turn at the thresholds; large is a hard rule")] = 5.0
    box: Annotated[Literal["published", "wide"], Knob(
        cost="job", group="how it learns", label="limits of the levels", help="published: alpha .75 to .9, beta .01 to .05")] = "published"
    step_size: Annotated[float, Gt(0), Le(0.1), Knob(cost="job", group="how it learns", step=0.005, more=True)] = 0.005
    learning_rate: Annotated[float, Gt(0), Le(0.01), Knob(cost="job", group="how it learns", step=0.001, more=True)] = 0.001
    delta: Annotated[float, Gt(0), Lt(1), Knob(cost="job", group="how it is judged", step=0.01, more=True,
                                               help="how often a certificate may be wrong")] = 0.1

    def states(self, pool: Pool, seeds: Seeds) -> Iterator[Event]:
        """A PolicyStep at the start, every few steps, and at the end."""
        run, learner, levels = self._points(pool), reinforce.untrained(seeds), np.array(START)
        surface = self._surface(run)
        base = self._begin(pool, run, surface)
        u = seeds.numpy("ways of the test points").random(len(run.at))
        told: list[tuple[float, float, float]] = []
        drawn = float("nan")
        for step in range(self.steps + 1):
            if step:
                learner, levels, drawn = self._learn(learner, levels, run, seeds, step)
            if step % EVERY == 0 or step == self.steps:
                now = self._report(replace(base, step=step, drawn_cost=drawn), run, levels, u)
                if step == self.steps and run.kept is not None:
                    now = self._certify(now, run.kept, seeds)
                told.append((step, now.cost, now.test_cost))
                yield replace(now, extra=self._extra(now, told))

    def promise(self, events: Sequence[Event]) -> Guarantee:
        last = next((e for e in reversed(events) if isinstance(e, PolicyStep)), None)
        if last is None or np.isnan(last.bound):
            return self.guarantee
        return Guarantee(
            "PAC", f"With probability at least {1 - self.delta:g}, of the answers this policy gives at most {100 * last.bound:.1f} % miss the truth.",
            level=1 - self.delta, scope="answers to images like these, on average; nothing is said of the images it is silent on",
            assumptions=(f"the {last.certified_on} answers it is counted on are independent of learning and calibration",
                         "test images come from the same source", "the knobs were not chosen by looking at this bound"))

    @property
    def prices(self) -> Prices:
        return Prices(self.set_price, self.silence_price, self.answer_reward, self.variety_reward, self.crowding_price)

    def _points(self, pool: Pool) -> _Run:
        def points(at: np.ndarray) -> Points:
            return Points(pool.first[at], pool.labels[at])

        if self.protocol == "as published":
            everything = np.concatenate((pool.train, pool.policy, pool.calibration, pool.test))
            known, at = np.split(everything, [len(everything) // 2])
            return _Run(points(known).scores, points(at), points(known).scores, points(at), at, None)
        calibration, kept = np.split(pool.calibration, [len(pool.calibration) // 2])
        certified = self.protocol == "certified"
        return _Run(points(pool.train).scores, points(pool.policy), points(calibration if certified else pool.calibration).scores,
                    points(pool.test), pool.test, points(kept) if certified else None)

    def _threshold(self, scores: np.ndarray, level: float) -> float:
        return (published_threshold if self.protocol == "as published" else exact_threshold)(scores, level)

    def _surface(self, run: _Run) -> Surface:
        alphas, betas = _GRID[self.box]
        cost = cost_surface(run.met, run.known, alphas, betas, self.slope, self.prices, self.protocol == "as published")
        a, b = np.unravel_index(int(cost.argmin()), cost.shape)
        return Surface(alphas=alphas, betas=betas, cost=cost, best_alpha=float(alphas[a]), best_beta=float(betas[b]), best_cost=float(cost[a, b]))

    def _learn(self, learner: reinforce.Learner, levels: np.ndarray, run: _Run, seeds: Seeds,
               step: int) -> tuple[reinforce.Learner, np.ndarray, float]:
        """One update: an action, the levels it leads to, the cost that the drawn ways then meet, one step on -log pi * reward."""
        rng = seeds.numpy("learning", step)
        mean, std = reinforce.policy(learner, levels)
        action = mean + std * rng.standard_normal(2)
        moved = np.clip(levels + self.step_size * action, *_BOX[self.box])
        q_single, q_silent = (self._threshold(run.known, level) for level in moved.tolist())
        ways = draw(chances(run.met.doubt, q_single, q_silent, self.slope), rng.random(len(run.met.labels)))
        cost = tally(run.met, np.eye(3)[:, ways], q_silent).cost(self.prices)
        return reinforce.updated(learner, levels, action, -cost, self.learning_rate), moved, cost

    def _begin(self, pool: Pool, run: _Run, surface: Surface) -> PolicyStep:
        none, nan = np.empty(0), float("nan")
        return PolicyStep(step=0, total=self.steps, alpha=nan, beta=nan, q_single=nan, q_silent=nan, drawn_cost=nan, cost=nan, test_cost=nan,
                          single=nan, sets=nan, silent=nan, risk=nan, single_risk=nan, set_size=nan, bound=nan, certified_on=0, errors=0,
                          protocol=self.protocol, tested=tested(pool, pool.first, run.at), surface=surface, decision=none, answers=none)

    def _report(self, base: PolicyStep, run: _Run, levels: np.ndarray, u: np.ndarray) -> PolicyStep:
        """What the levels do on the points shown, whose thresholds may come from fresh points; ``u`` [m] never changes."""
        alpha, beta = levels.tolist()
        low, high = (self._threshold(run.known, level) for level in (alpha, beta))
        q_single, q_silent = (self._threshold(run.reported, level) for level in (alpha, beta))
        ways = chances(run.test.doubt, q_single, q_silent, self.slope)
        decision = draw(ways, u)
        seen = tally(run.test, np.eye(3)[:, decision], q_silent)
        single, sets, silent = seen.shares.tolist()
        wrong = ~run.test.single_right[decision == 0]
        return replace(
            base, alpha=alpha, beta=beta, q_single=q_single, q_silent=q_silent, single=single, sets=sets, silent=silent,
            cost=tally(run.met, chances(run.met.doubt, low, high, self.slope), high).cost(self.prices),
            test_cost=tally(run.test, ways, q_silent).cost(self.prices), risk=seen.error if silent < 1 else float("nan"),
            single_risk=float(wrong.mean()) if len(wrong) else float("nan"), set_size=seen.set_size if sets else float("nan"),
            decision=decision, answers=run.test.answers(decision, q_silent))

    def _certify(self, now: PolicyStep, kept: Points, seeds: Seeds) -> PolicyStep:
        """The frozen policy on points that nothing was learnt or calibrated on."""
        ways = draw(chances(kept.doubt, now.q_single, now.q_silent, self.slope), seeds.numpy("ways of the kept points").random(len(kept.labels)))
        held = np.take_along_axis(kept.answers(ways, now.q_silent), kept.labels[:, None], axis=1)[:, 0]
        answered = ways != SILENT
        errors, n = int(np.count_nonzero(answered & ~held)), int(np.count_nonzero(answered))
        return replace(now, bound=risk_bound(errors, n, self.delta), certified_on=n, errors=errors)

    def _extra(self, now: PolicyStep, told: Sequence[tuple[float, float, float]]) -> Mapping[str, Any]:
        steps, *costs = np.array(told).T
        return {"doubt": DOUBTS, "chance": chances(DOUBTS, now.q_single, now.q_silent, self.slope), "steps": steps, "costs": np.array(costs)}
