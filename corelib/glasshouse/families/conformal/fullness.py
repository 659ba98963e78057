"""Why sets hold every label, and what can be done: said by the library and on the screen alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from glasshouse.families.conformal.ranks import kth, needed_points, threshold_rank

MOST = 0.5              # share of full sets, or of many labels in a set, from which something is said
MANY = 20


class Fullness(NamedTuple):
    """``why`` all or most sets hold every label, and ``advice``; both empty, and false as a whole, where they do not."""

    why: str = ""
    advice: str = ""

    def __bool__(self) -> bool:
        return bool(self.why)


def too_few(n: np.ndarray, k: np.ndarray, alpha: float, cells: str) -> Fullness:
    """Cells whose threshold is infinite; ``n`` int64 [cells] points, ``k`` int64 [cells] ranks."""
    small = int((k > n).sum())
    if not small:
        return Fullness()
    needed = f"alpha = {float(alpha):g}: {needed_points(alpha)} are needed"
    why = (f"{n[0]} calibration points are too few for {needed}" if cells == "all"
           else f"{small} of {len(k)} cells have too few calibration points for {needed}")
    return Fullness(why, "use more calibration points")


def crowded(sizes: np.ndarray, classes: int, alpha: float, scores: tuple[np.ndarray, ...], deterministic: bool) -> Fullness:
    """Sets that are full, or hold most of many labels, although there are points enough.

    ``sizes`` int64 [m] of sets; ``scores`` the ascending calibration scores, cell by cell; ``deterministic``: the score could take a random
    share of a label's own mass, and does not.
    """
    if not len(sizes) or classes < 2:
        return Fullness()
    full, held = float((sizes == classes).mean()), float(sizes.mean()) / classes
    if full > MOST:
        why = f"{100 * full:.0f} % of the sets hold every label at alpha = {float(alpha):g}"
    elif classes >= MANY and held > MOST:
        why = f"a set holds {100 * held:.0f} % of the {classes} labels on average at alpha = {float(alpha):g}"
    else:
        return Fullness()
    if len(scores) == 1:
        threshold = kth(scores[0], threshold_rank(len(scores[0]), alpha))
        late = float((scores[0] >= threshold).mean())
        why += (f": the true labels of {100 * late:.3g} % of the calibration points score the threshold {threshold:.6g} or more, as much as "
                "labels that the model rules out")
    if deterministic:
        return Fullness(f"{why}; without a random share a label counts all of its own mass",
                        "let the score take its random share (randomized), which makes coverage exact, or make the model less sure "
                        "(temperature), or take the score lac, or a larger alpha")
    return Fullness(why, "make the model less sure (temperature), or take another score, a better model, or a larger alpha")
