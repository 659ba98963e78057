"""Remake ``weights.npz``: a multinomial logistic regression on noisy digits.

    python recipe.py [--out FOLDER]      # a few seconds; needs scikit-learn

600 of the 1797 digits, chosen by a seeded permutation, levels divided by 16, Gaussian noise added (clean digits are too
easy for a lesson on uncertainty), L2 penalty with C = 0.1. The other 1197 are never seen here: they are the pool that
calibration and test points are drawn from, so their indices ship with the weights.
"""

from __future__ import annotations

import argparse
import json
import platform
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SEED, TRAIN, NOISE, C = 0, 600, 0.45, 0.1


def main() -> None:
    import sklearn
    from sklearn.linear_model import LogisticRegression

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE)
    folder = parser.parse_args().out
    with np.load(HERE.parents[1] / "datasets" / "digits" / "digits.npz") as stored:
        images, labels = stored["images"], stored["labels"]
    rng = np.random.Generator(np.random.PCG64(SEED))
    order = rng.permutation(len(labels))
    train, pool = np.sort(order[:TRAIN]), np.sort(order[TRAIN:])
    x = images.reshape(-1, 64) / 16 + rng.normal(scale=NOISE, size=(len(labels), 64))
    model = LogisticRegression(C=C, max_iter=5000, tol=1e-10).fit(x[train], labels[train])
    np.savez_compressed(folder / "weights.npz", weight=model.coef_, bias=model.intercept_, train=train, pool=pool)
    quality = {"train_accuracy": round(float(model.score(x[train], labels[train])), 4),
               "pool_accuracy": round(float(model.score(x[pool], labels[pool])), 4)}
    config = {"kind": "multinomial logistic regression", "inputs": "64 levels / 16, plus noise", "classes": 10, "train": TRAIN,
              "noise": NOISE, "C": C, "seed": SEED, "quality": quality,
              "made_with": {"scikit-learn": sklearn.__version__, "numpy": np.__version__, "python": platform.python_version()}}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
