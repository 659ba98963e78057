"""RSCP+: provably robust sets by randomised smoothing. Yan, Romano, Weng 2024; RSCP is Gendler, Weng, Daniel, Romano 2022."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from scipy.special import expit

from glasshouse.families.conformal import scores as base_scores
from glasshouse.families.conformal.robust.certificate import Certificate
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View


@dataclass(frozen=True)
class RSCPPlus:
    """The score is averaged over noisy copies of the image, so that a small change of the image can move it only so far.

    With a base score s in [0, 1] and e ~ N(0, sigma^2 I), S(x, y) = Phi^-1(E s(x + e, y)) is 1 / sigma-Lipschitz: an attack of l2 radius
    delta moves it by at most delta / sigma, and so far the sets reach beyond the threshold.

    RSCP takes the mean over ``n_mc`` copies for the expectation, which it is not: its promise is not proved. RSCP+ calibrates the means
    themselves, at level alpha - 2 beta, and bounds their error twice: y is in the set at x when
    Phi^-1(max(mean - b, 0)) - delta / sigma <= Phi^-1(min(threshold + b_H, 1)). b_H, on the side of the threshold, is Hoeffding's, for the
    clean point is unseen; b, at the point seen, is Bernstein's in the paper and may be Hoeffding's too, fixed beforehand. beta is spent on each.

    PTT (post-training transformation) sends the base score through two increasing maps before it is averaged: its rank R among ``holdout``
    scores of true labels, then sigmoid((R - b) / T). Scores that were all alike are pulled apart around the threshold, where it matters;
    the holdout is disjoint from calibration, so nothing is lost.

    RCT (robust conformal training) replaces the network's last layer by one trained for small robust sets, on the training points; what of it
    is ours is said in ``robust/training.py``.
    Base scores: HPS is 1 - p; APS is randomised, with one u an image, shared by its copies.
    """

    paper: ClassVar[Paper] = Paper("Provably Robust Conformal Prediction with Improved Efficiency", "Yan, Romano, Weng", 2024,
                                   arxiv="2404.19651", where="section 3 (RSCP+) and section 4 (PTT, RCT); constants of the authors' code")
    guarantee: ClassVar[Guarantee] = Guarantee(
        "adversarial", "Whatever an attacker does within the l2 radius, a set holds the true label with probability at least 1 - alpha.",
        assumptions=("calibration points and test points before the attack are exchangeable", "the network was not trained on them",
                     "the attacker does not know the noise of the copies",
                     "the attack stays within the radius: the squares of all pixels' changes count together",
                     "alpha, beta, the radius and the knobs were chosen without looking at the calibration points"),
        scope="on average over calibration sets, test points and noise, not for each image")
    views: ClassVar[tuple[View, ...]] = (
        View("line", "What the transformation does to a score", x="score", y="maps", series=("score after it", "calibration means below"),
             x_label="base score (calibration: mean)", y_label="score, share",
             note="PTT is steep where the threshold lies and flat elsewhere: noise there moves nothing."),)
    presets: ClassVar[tuple[Preset, ...]] = (
        Preset("No room left", "With APS and no transformation, how many labels can be ruled out?", {"base": "aps", "transform": "none"},
               problem="digits"),
        Preset("Pulled apart", "How much smaller do the sets get by PTT alone?", {"base": "hps", "transform": "ptt"}, problem="digits"),
        Preset("Trained for it", "Can training make the sets small even without PTT?", {"training": "rct", "transform": "none"}, problem="digits"),
        Preset("Trusting a mean", "Is taking 32 noisy copies for all of them harmless?", {"variant": "rscp", "n_mc": 32, "transform": "none"},
               problem="digits"),
        Preset("A stronger attack", "What is left of the promise when the attacker goes twice as far?", {"radius": 0.25, "attack": 0.5},
               problem="digits"))

    variant: Annotated[Literal["rscp+", "rscp"], Knob(
        cost="job", group="how sets are made", label="means over noise", more=True,
        help="rscp+ bounds their error; rscp takes them for exact")] = "rscp+"
    base: Annotated[Literal["hps", "aps"], Knob(cost="job", group="how sets are made", label="base score")] = "hps"
    transform: Annotated[Literal["ptt", "none"], Knob(
        cost="job", group="how sets are made", label="transformation", help="ptt: rank on a holdout, then a steep sigmoid")] = "ptt"
    sigma: Annotated[float, Ge(0.05), Le(1.5), Knob(
        cost="job", group="how sets are made", step=0.05, label="noise sigma", help="of the copies; an attack moves scores by radius / sigma")] = 0.5
    training: Annotated[Literal["given", "rct"], Knob(
        cost="job", group="how sets are made", label="last layer", more=True,
        help="of the network: as it is, or trained anew for small robust sets")] = "given"
    n_mc: Annotated[int, Ge(16), Le(512), Knob(
        cost="job", group="how sets are made", log=True, label="noisy copies", more=True,
        help="of every image; their mean stands for the average over all noise")] = 256
    bound: Annotated[Literal["bernstein", "hoeffding"], Knob(
        cost="job", group="how sets are made", label="error bound at the image", help="of rscp+; fix it before you look", more=True)] = "bernstein"
    steepness: Annotated[float, Ge(0), Le(1000), Knob(
        cost="job", group="how sets are made", label="steepness 1 / T", step=10, more=True,
        help="of the sigmoid of ptt; 0 makes all scores alike")] = 400.0
    center: Annotated[float, Ge(0), Le(1), Knob(
        cost="job", group="how sets are made", label="centre b", step=0.01, help="of the sigmoid of ptt; the paper's is 1 - alpha", more=True)] = 0.9

    @property
    def certificate(self) -> Certificate:
        return Certificate(self.sigma, self.n_mc, "ignored" if self.variant == "rscp" else self.bound)

    def score(self, probs: np.ndarray, u: np.ndarray) -> np.ndarray:
        """The base score of every label, in [0, 1]."""
        return base_scores.lac(probs) if self.base == "hps" else base_scores.aps(probs, u)

    def transformed(self, scores: np.ndarray, holdout: np.ndarray) -> np.ndarray:
        """PTT: sigmoid((R - b) / T), R(s) = #{holdout scores <= s} / h; the scores as they are without it."""
        if self.transform == "none":
            return scores
        # The rank takes h + 1 values: the sigmoid of each, looked up.
        ranks = np.arange(len(holdout) + 1) / max(len(holdout), 1)
        steps = expit(self.steepness * (ranks - self.center))
        found: np.ndarray = steps[np.searchsorted(holdout, scores.ravel(), side="right")].reshape(scores.shape)
        return found

    def promise(self) -> Guarantee:
        """The promise of these knobs: plain RSCP has none that is proved."""
        if self.variant == "rscp+":
            return self.guarantee
        return replace(self.guarantee, kind="heuristic", statement=(
            f"A heuristic: RSCP takes the mean over {self.n_mc} noisy copies for the exact value, so how often a set holds the true label "
            "under attack is not proved."))

    def extra(self, holdout: np.ndarray, calibrated: np.ndarray) -> Mapping[str, np.ndarray]:
        """The map from base scores to scores, and the share of calibration means below a score, at 201 places."""
        score = np.linspace(0.0, 1.0, 201)
        below = np.searchsorted(calibrated, score, side="right") / max(len(calibrated), 1)
        return {"score": score, "maps": np.stack((self.transformed(score, holdout), below))}
