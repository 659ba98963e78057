"""What holes are made in: shorthand for statements of held-out Python, completed by the bundled language model and recorded."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Ge, Le

from glasshouse import assets
from glasshouse.families.conformal.code.interface import Pool, Statement
from glasshouse.families.conformal.code.trees import parse, wrong
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.knob import Knob

MOST_CALIBRATION = 500


@dataclass(frozen=True)
class Shorthand:
    """One-line statements of Python modules that the language model never saw.

    Of every word only three letters are typed, and the bundled model completes them, from what stands in the module up to that line; about
    half of the statements come out wrong somewhere. The statements are shuffled by ``split``: the first 500 are
    for calibration, of which ``calibration_size`` are used, the others are the test statements, whatever the size.
    """

    name: ClassVar[str] = "shorthand"
    title: ClassVar[str] = "Python in shorthand, completed by a language model"

    calibration_size: Annotated[int, Ge(10), Le(MOST_CALIBRATION), Knob(
        cost="job", unit="statements", group="the data", label="calibration statements")] = MOST_CALIBRATION
    split: Annotated[int, Ge(0), Le(9999), Knob(
        cost="job", group="the data", help="which statements calibrate and which test: a seed")] = 0

    def open(self) -> Pool:
        """Half a second the first time, for reading the trees."""
        statements, solved = _recorded()
        order = Seeds(self.split).numpy("statements split").permutation(len(statements))
        return Pool(statements, order[:self.calibration_size], order[MOST_CALIBRATION:], solved)


@dataclass(frozen=True)
class Tiny:
    """The first statements of the same recording: 30 that calibrate and 20 that test. Their budgets are solved anew."""

    name: ClassVar[str] = "tiny"
    title: ClassVar[str] = "Fifty statements in shorthand"

    calibration_size: Annotated[int, Ge(10), Le(30), Knob(cost="job", unit="statements", group="the data")] = 30
    split: Annotated[int, Ge(0), Le(9999), Knob(cost="job", group="the data")] = 0

    def open(self) -> Pool:
        """Half a second the first time."""
        statements = _recorded()[0][:50]
        order = Seeds(self.split).numpy("tiny split").permutation(len(statements))
        return Pool(statements, order[:self.calibration_size], order[30:], {})


PROBLEMS: tuple[type, ...] = (Shorthand, Tiny)


def read_statements(file: Path) -> tuple[Statement, ...]:
    """The statements of a recording, with their trees."""
    with np.load(file) as data:
        words, tokens = _rows(data, "word"), _rows(data, "token")
        texts = [[str(t) for t in data[name]] for name in ("truth", "typed", "guess")]
    found = []
    for truth, typed, guess, word, token in zip(*texts, words, tokens, strict=True):
        mine, its = parse(guess), parse(truth)
        found.append(Statement(its, mine, typed, wrong(mine, its), *word, *token))
    return tuple(found)


@lru_cache(maxsize=1)
def _recorded() -> tuple[tuple[Statement, ...], dict[str, tuple[np.ndarray, ...]]]:
    """The recorded statements, and what was kept of each by the methods that were recorded, by their repr."""
    home = assets.path("records", "conformal-code")
    statements = read_statements(home / "statements.npz")
    return statements, _solutions(home / "kept.npz", np.array([len(s.guess) for s in statements]))


def _rows(data: np.lib.npyio.NpzFile, name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """(ends, nats) of each statement's words or tokens."""
    cuts = np.cumsum(data[f"{name}_count"])[:-1]
    return list(zip(np.split(data[f"{name}_end"].astype(np.int64), cuts), np.split(data[f"{name}_nll"].astype(np.float64), cuts), strict=True))


def _solutions(file: Path, nodes: np.ndarray) -> dict[str, tuple[np.ndarray, ...]]:
    """For each method a line of bits, M x T x N of every statement in turn."""
    with np.load(file) as data:
        found = {}
        for number, method in enumerate(data["methods"]):
            most, budgets = data[f"shape_{number}"].tolist()
            sizes = nodes * most * budgets
            bits = np.unpackbits(data[f"bits_{number}"], count=int(sizes.sum())).astype(bool)
            parts = np.split(bits, np.cumsum(sizes)[:-1])
            found[str(method)] = tuple(p.reshape(most, budgets, n) for p, n in zip(parts, nodes.tolist(), strict=True))
        return found
