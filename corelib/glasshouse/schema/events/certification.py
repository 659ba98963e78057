"""Certified training: a network from step to step, and what a look at one image and one radius finds in it.

m test images, d pixels in [0, 1], K labels, L layers; radii are in units of the pixel scale (black 0, white 1), in the l-infinity norm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from glasshouse.schema.events.base import Event

SAFE, UNKNOWN, BROKEN, WRONG = range(4)         # an image at a radius: certified, neither proved nor broken, flipped by the attack, misread


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint(Event):
    """The network after ``step`` of ``steps`` training steps.

    ``train_eps`` is the box radius in training at this step and ``loss`` the last batch's; ``clean`` is the share of test images read rightly.
    ``certified_radius`` float64 [m] is the radius up to which an image provably keeps its label, -1 where it is misread;
    ``broken_radius`` float64 [m] the least at which the attack flipped it, inf where none did. ``tightness`` passes over the ReLUs,
    ``local_tightness`` takes out those that are off. ``weights`` float32 W_1, b_1, ... with any batch normalization folded in.
    ``labels`` int64 [m]; ``images`` float64 [m, d].
    """

    step: int
    steps: int
    train_eps: float
    loss: float
    clean: float
    certified: float            # share of test images certified at the final training radius
    attacked: float             # share that the attack spared there
    tightness: float
    local_tightness: float
    certified_radius: np.ndarray
    broken_radius: np.ndarray
    weights: tuple[np.ndarray, ...]
    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class History:
    """The run up to its newest checkpoint, read at one radius; every array float64 [T]."""

    step: np.ndarray
    train_eps: np.ndarray
    clean: np.ndarray
    attacked: np.ndarray
    certified: np.ndarray
    tightness: np.ndarray
    local_tightness: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Inspected(Event):
    """One checkpoint, looked at with one radius and one image.

    ``leads`` float64 [p, 2]: how far the true label is ahead of its two nearest rivals (``rivals``) at ``p`` real images within eps, the image
    itself first; ``lead_box`` [2, 2] the same by interval bounds, rows lower and upper: every real point lies inside.
    ``ibp_radius`` [L + 1] mean box radius of the input and before every ReLU, last of the leads; ``reached_radius`` the same for the smallest
    box around values that were really met, so the best possible box lies between the two.
    ``margins`` [m] is the least lead that bounds allow for each image; ``state`` int64 [m] of SAFE, UNKNOWN, BROKEN, WRONG.
    ``original`` and ``attacked_image`` [h, w]; ``read_as`` is the attacked image's label.
    """

    eps: float
    image: int
    moment: int
    moments: int
    step: int
    label: int
    read_as: int
    clean: float
    attacked: float
    certified: float
    tightness: float
    local_tightness: float
    reached_share: float        # reached over propagated radius of the leads: the best box's tightness is at least this
    verdict: Literal["certified", "unknown", "broken", "wrong"]
    rivals: tuple[int, int]
    leads: np.ndarray
    lead_box: np.ndarray
    ibp_radius: np.ndarray
    reached_radius: np.ndarray
    margins: np.ndarray
    state: np.ndarray
    labels: np.ndarray
    original: np.ndarray
    attacked_image: np.ndarray
    history: History
    checkpoint: Checkpoint
