"""Why sets hold every label, and what can be done: said by the library and on the screen alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from glasshouse.families.conformal.ranks import kth, needed_points, threshold_rank

MOST = 0.5              # share of full sets from which something is said


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


def crowded(share: float, alpha: float, scores: tuple[np.ndarray, ...], deterministic: bool) -> Fullness:
    """``share`` of sets that are full although there are points enough; ``scores`` the ascending calibration scores, cell by cell."""
    if share <= MOST:
        return Fullness()
    why = f"{100 * share:.0f} % of the sets hold every label at alpha = {float(alpha):g}"
    if len(scores) == 1:
        threshold = kth(scores[0], threshold_rank(len(scores[0]), alpha))
        late = float((scores[0] >= threshold).mean())
        why += (f": the true labels of {100 * late:.3g} % of the calibration points score the threshold {threshold:.4g} or more, as much as the "
                "last label of most points")
    if deterministic:
        return Fullness(f"{why}; without a random share a label counts all of its own mass",
                        "let the score take its random share (randomized), which makes coverage exact, or use lac, or a larger alpha")
    return Fullness(why, "use a larger alpha, another score, or a better model")
