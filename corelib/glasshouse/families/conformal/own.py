"""A person's own probabilities and labels, read from a file: .npz with arrays, or .csv with a column a class and the label last."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le, Lt, MaxLen

from glasshouse.families.conformal.inputs import class_labels, probabilities
from glasshouse.families.conformal.interface import Pool
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import BadValue, GlasshouseError, bad_value
from glasshouse.schema.knob import Knob

MOST = 20_000_000       # probabilities in all
UNPACKED = 400_000_000  # bytes
WANTED = "an .npz file with probs [N, K] and labels [N], or a .csv file with a column a class and the label last"


@dataclass(frozen=True)
class Own:
    """Labelled points of your own: what your model says of points that it was not trained on.

    ``.npz``: ``probs`` [N, K], rows summing to 1; ``labels`` [N], whole numbers from 0; if you like ``groups`` [N], whole numbers, and
    ``images`` uint8 [N, h, w], of which the first 8 x 8 pixels are shown. ``.csv``: K columns of probabilities, then the label. Points are
    shuffled by ``split``; ``share`` of them calibrate.
    """

    name: ClassVar[str] = "own"
    title: ClassVar[str] = "Your own probabilities"

    file: Annotated[str, MaxLen(1000), Knob(cost="job", unit="file", group="the data", help=f"{WANTED}; it stays on this machine")] = ""
    share: Annotated[float, Gt(0), Lt(1), Knob(cost="live", group="the data", label="share that calibrates", step=0.05)] = 0.5
    shuffle: Annotated[int, Ge(0), Le(9999), Knob(cost="live", group="the data", help="which points calibrate: a seed")] = 0

    def open(self) -> Pool:
        """Raises: BadValue naming ``file`` where there is none, or what is wrong in it."""
        probs, labels, groups, images = _read(self.file)
        n = len(probs)
        order = Seeds(self.shuffle).numpy("own split").permutation(n)
        k = min(max(round(self.share * n), 1), n - 1)
        return Pool(probs, labels, images, order[:k], order[k:], groups, tuple(f"group {g}" for g in range(int(groups.max()) + 1)))


def _read(file: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    try:
        path = Path(file).expanduser()
    except RuntimeError:                        # nobody's home
        raise bad_value("file", file, WANTED) from None
    if not file or not path.is_file() or path.suffix.lower() not in (".npz", ".csv"):
        raise bad_value("file", file, WANTED)
    try:
        found = _arrays(path) if path.suffix.lower() == ".npz" else _table(path)
        probs = probabilities("probs", found["probs"])
        if probs.size > MOST or len(probs) < 2:
            raise BadValue(f"file: probs has shape {list(probs.shape)}: from 2 points to {MOST:,} numbers in all can be taken", "file")
        labels = class_labels("labels", found["labels"], *probs.shape)
        groups = class_labels("groups", found["groups"], len(probs), 1000) if "groups" in found else np.zeros(len(probs), np.int64)
    except GlasshouseError as error:
        raise BadValue(f"{path.name}: {error}", "file") from None
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise BadValue(f"{path.name} cannot be read ({error}): it must be {WANTED}", "file") from None
    images = found.get("images", np.empty(0, np.uint8))
    if images.size and (images.dtype != np.uint8 or images.ndim != 3 or len(images) != len(probs)):
        raise BadValue(f"{path.name}: images has shape {list(images.shape)} and dtype {images.dtype}: it must be uint8 [N, h, w]", "file")
    return probs, labels, groups, images


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as packed:       # what it would unpack to is said in it: a small file can hold a very large array
        if sum(part.file_size for part in packed.infolist()) > UNPACKED:
            raise ValueError(f"it unpacks to more than {UNPACKED // 1_000_000} MB")
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in ("probs", "labels", "groups", "images") if name in archive}


def _table(path: Path) -> dict[str, np.ndarray]:
    """A first line that is no numbers is a header."""
    with path.open(encoding="utf-8-sig") as lines:
        first = lines.readline()
        if not first.strip():
            raise ValueError("its first line is empty")
    mark = ";" if ";" in first else ","
    header = any(not _number(cell) for cell in first.split(mark))
    table = np.loadtxt(path, delimiter=mark, skiprows=int(header), ndmin=2, encoding="utf-8-sig")
    if table.shape[1] < 3 or (table[:, -1] != np.round(table[:, -1])).any():
        raise ValueError("the last column must be labels, whole numbers, after at least two columns of probabilities")
    return {"probs": table[:, :-1], "labels": table[:, -1].astype(np.int64)}


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
