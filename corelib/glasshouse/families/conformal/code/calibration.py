"""Holes in a language model's programs, from its tokens and their surprise, in two calls. No model is needed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from glasshouse.families.conformal.code.drive import chosen, errors
from glasshouse.families.conformal.code.holes import MOST_HOLES, keep_alone, keep_jointly
from glasshouse.families.conformal.code.interface import Statement
from glasshouse.families.conformal.code.pac import most_errors, needed_points
from glasshouse.families.conformal.code.trees import Tree, parse, wrong
from glasshouse.families.conformal.inputs import numbers, whole
from glasshouse.families.conformal.methods.code.pac_code import PACCode
from glasshouse.families.conformal.ranks import share
from glasshouse.schema.build import build
from glasshouse.schema.errors import BadType, BadValue
from glasshouse.schema.guarantee import Guarantee

HOLE = "??"


@dataclass(frozen=True, eq=False)
class ProgramSet:
    """``text`` is the guess with ``??`` for each hole: it stands for every program that fits. ``kept`` bool [N] of the nodes of ``tree``."""

    text: str
    kept: np.ndarray
    tree: Tree
    guarantee: Guarantee


@dataclass(frozen=True, eq=False)
class CodeCalibration:
    """``errors`` int64 [T + 1]: how many of ``n`` calibration programs are wrong somewhere at each of ``budgets`` [T]; none in the last."""

    method: PACCode
    holes: int
    n: int
    budgets: np.ndarray
    errors: np.ndarray

    def program(self, tokens: Sequence[str], nll: Any, eps: float = 0.1, delta: float = 0.1) -> ProgramSet:
        """The set of programs for one guess: ``tokens`` joined are its text, ``nll`` [tokens] their negative log-likelihoods in nats.

        With probability at least 1 - ``delta`` over calibrations, at most a share ``eps`` of such sets misses the true program.

        Raises: BadType, BadValue naming the argument.
        """
        share("eps", eps), share("delta", delta)
        guess = _guess("tokens", tokens, nll)
        allowed = most_errors(self.n, eps, delta)
        at = chosen(self.errors, allowed)
        kept = np.zeros(len(guess.guess), bool)
        if at < len(self.budgets):
            kept = _kept(self.method, guess, self.holes)[at]
        promise = replace(self.method.guarantee, level=1 - float(delta), statement=(
            f"With probability at least {1 - float(delta):g} over calibrations on {self.n} programs, at most a share {float(eps):g} of the programs "
            "with holes does not fit the true one."))
        if allowed is None:
            promise = replace(promise, statement=(
                f"{promise.statement} Everything is left out: {self.n} programs are too few to prove more, {needed_points(eps, delta)} are needed."))
        return ProgramSet(_with_holes(guess.guess, kept), kept, guess.guess, promise)


def calibrate_code(tokens: Sequence[Sequence[str]], nll: Sequence[Any], truths: Sequence[str], holes: int = 2, **knobs: Any) -> CodeCalibration:
    """Calibrates PAC sets of programs on guesses of a model that was not trained on the true ones.

    ``tokens`` lists each guess's tokens, which joined are one Python statement on one line; ``nll`` their negative log-likelihoods in
    nats; ``truths`` the true statements. At most ``holes`` (1 to 4) holes a program. ``knobs`` are those of `conformal.pac-code` about
    budgets (``spacing``, ``count``, ``joint``). An integer program a guess: some milliseconds each.

    Raises: BadType, BadValue naming the argument.

    >>> found = calibrate_code([["x", " = ", "f(1)"]] * 40, [[0.1, 0.1, 3.0]] * 40, ["x = f(2)"] * 40)
    >>> found.program(["y", " = ", "g(1)"], [0.1, 0.1, 3.0]).text
    'y = ??(??)'
    """
    whole("holes", holes, 1, MOST_HOLES)
    if "cost_of" in knobs:
        raise BadValue("cost_of is not allowed here: the tokens given are what costs", "cost_of")
    method: PACCode = build(PACCode, knobs)
    for argument, given in (("nll", nll), ("truths", truths)):
        if len(given) != len(tokens):
            raise BadValue(f"{argument} has {len(given)} entries: it must have {len(tokens)}, one a guess", argument)
    statements = [_guess(f"tokens[{i}]", t, values, _parsed(f"truths[{i}]", truth))
                  for i, (t, values, truth) in enumerate(zip(tokens, nll, truths, strict=True))]
    grid = method.grid()
    counted = np.zeros(len(grid) + 1, np.int64)
    if statements:
        counted = errors(statements, [_kept(method, s, holes)[None] for s in statements])[:, 0].sum(axis=0)
    return CodeCalibration(method, holes, len(statements), grid, counted)


def _kept(method: PACCode, statement: Statement, holes: int) -> np.ndarray:
    """bool [T, N]: the nodes that each budget keeps with at most so many holes."""
    solve = keep_jointly if method.joint else keep_alone
    return solve(statement.guess.parent, method.cost(statement), method.grid(), holes)


def _guess(argument: str, tokens: Any, nll: Any, truth: Tree | None = None) -> Statement:
    if isinstance(tokens, str) or not all(isinstance(t, str) for t in tokens):
        raise BadType(f"{argument} must be a sequence of strings, the tokens of one statement", argument.split("[")[0])
    tree = _parsed(argument, "".join(tokens))
    surprise = numbers(argument.replace("tokens", "nll"), nll, "[tokens]", 0.0)
    if len(surprise) != len(tokens):
        raise BadValue(f"{argument} has {len(tokens)} tokens and {len(surprise)} numbers beside it: one a token is needed", "nll")
    ends = np.cumsum([len(t) for t in tokens])
    miss = np.zeros(len(tree), bool) if truth is None else wrong(tree, truth)
    return Statement(tree if truth is None else truth, tree, "", miss, ends, surprise, ends, surprise)


def _parsed(argument: str, text: Any) -> Tree:
    try:
        return parse(text)
    except (BadType, BadValue) as error:
        raise type(error)(str(error).replace("text", argument, 1), argument.split("[")[0]) from None


def _with_holes(tree: Tree, kept: np.ndarray) -> str:
    """The text, each topmost node that is left out replaced by a hole."""
    text = tree.text
    for v in range(len(tree) - 1, -1, -1):              # from the right, so that places stay
        if not kept[v] and (tree.parent[v] < 0 or kept[tree.parent[v]]):
            start, end = tree.span[v].tolist()
            text = text[:start] + HOLE + text[end:]
    return text
