"""Remake ``digits.npz`` from scikit-learn's bundled copy of the digits.

    python recipe.py [--out FOLDER]      # a second; needs scikit-learn

Nothing is downloaded: the table ships inside scikit-learn.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np


def main() -> None:
    from sklearn.datasets import load_digits

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    folder = parser.parse_args().out
    digits = load_digits()
    images = digits.images.astype(np.uint8)
    assert (images == digits.images).all(), "the levels are whole numbers from 0 to 16"
    np.savez_compressed(folder / "digits.npz", images=images, labels=digits.target.astype(np.uint8))


if __name__ == "__main__":
    main()
