"""Programs with holes: what is left of a statement beside its tree, and of all statements in a list."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from glasshouse.schema.events.conformal_code import Guess, Holed
from glasshouse_widgets.figures.palette import CLEAR, GREEN, MONO, ON_HUE, VERMILION, Figure, Theme, bare, layout, note, pattern
from glasshouse_widgets.figures.tokens import cut, escaped

LONGEST = 18                        # characters of a word before it is cut
ROOM, HALF_ROOM = 68, 34            # characters that fit across the stage, and across half of it: words are cut until they do
NARROWEST = 30                      # characters across the stage at least
DOUBTFUL = 4.0                      # nats that are drawn as dark as it gets
MARGIN = 0.6                        # characters left free on both sides
HEIGHT, CHIP = 472, 26              # px of the stage's drawing area, of a chip
ROWS = {"typed": 32, "guess": 66, "set": 122, "truth": 178}      # px from the top: of the line of text, and of the middles of chips
TREE_TOP = 236
PAGE = 9                            # statements on a list's page
HOLE = "▨"

Piece = tuple[int, str, str]        # a node, its text in the guess, its text in the truth


def program(seen: Holed, theme: Theme, half: bool = False) -> Figure:
    """One statement in four lines, what was typed, what the model makes of it, the set, what was meant, and its tree below them.

    A word's tint is the model's doubt. A hatched block is a hole: any code may stand there. Red is wrong and kept, green is wrong and saved by
    a hole. ``half``: drawn beside another, in half the room.
    """
    guess = seen.guess
    pieces = _pieces(guess)
    most = _most_letters(pieces, HALF_ROOM if half else ROOM)
    wide = [min(max(len(g), len(t)), most) for _, g, t in pieces]
    left = np.concatenate(([0.0], np.cumsum(wide)))
    across = max(float(left[-1]), NARROWEST)
    hole = _hole_of(guess.parent, seen.kept)
    rows = {"guess": [(left[i], wide[i], g, _tint(guess, v, theme), theme.ink, "", _doubt(guess, v)) for i, (v, g, _) in enumerate(pieces)],
            "set": _set_blocks(guess, pieces, left, hole, theme),
            "truth": [_truth_block(guess, piece, left[i], wide[i], hole, theme) for i, piece in enumerate(pieces)]}
    data = [*(_bars(theme, ROWS[name], blocks, most) for name, blocks in rows.items()), *_tree(guess, pieces, left, hole, theme, most)]
    words = [("typed", "what was typed:"),
             ("guess", "the model's guess" if half else "what the model makes of it: the darker, the more in doubt"),
             ("set", "the set" if half else f"the set: every program that fits ({HOLE} stands for any code)"),
             ("truth", "what was meant" if half else f"what was meant: {_verdict(seen, hole)}")]
    notes = [note(text, 0, HEIGHT - ROWS[row] + CHIP / 2 + 1, theme, yref="y", xref="x",
                  font={"size": 12, "color": theme.muted}) for row, text in words]
    notes.append(note(escaped(cut(guess.typed, 26 if half else 60)), 0, HEIGHT - ROWS["typed"] + CHIP / 2, theme, yref="y", xref="x", xshift=104,
                      font={"size": 13, "color": theme.ink, "family": MONO}))
    return {"data": data, "layout": layout(theme, left=8, right=8, top=4, bottom=4, barmode="overlay", annotations=notes,
            xaxis=bare(range=[-MARGIN, across + MARGIN], fixedrange=True), yaxis=bare(range=[0, HEIGHT], fixedrange=True))}


def _bars(theme: Theme, row: float | None, blocks: list[tuple[Any, ...]], most: int) -> dict[str, Any]:
    """Chips as horizontal bars: (left, width, text, fill, ink, hatch, hover[, y])."""
    y = [HEIGHT - row if row is not None else b[7] for b in blocks]
    return {"type": "bar", "orientation": "h", "y": y, "base": [float(b[0]) + 0.04 for b in blocks], "x": [float(b[1]) - 0.08 for b in blocks],
            "width": [CHIP if row is not None else CHIP - 4] * len(blocks), "text": [escaped(cut(b[2].strip(), most)) for b in blocks],
            "textposition": "inside", "insidetextanchor": "middle", "textangle": 0, "constraintext": "none", "cliponaxis": False,
            "insidetextfont": {"family": MONO, "size": 13, "color": [b[4] for b in blocks]},
            "marker": {"color": [b[3] for b in blocks], "line": {"width": 1, "color": theme.grid}, "pattern": pattern("", theme) | {
                "shape": [b[5] for b in blocks], "fgcolor": theme.muted, "fgopacity": 0.55 if row is not None else 0.3}},
            "hovertext": [b[6] for b in blocks], "hoverinfo": "text"}


def _most_letters(pieces: list[Piece], room: int) -> int:
    """How many letters of a word are shown, so that all fit."""
    most = LONGEST
    while most > 2 and sum(min(max(len(g), len(t)), most) for _, g, t in pieces) > room:
        most -= 1
    return most


def _pieces(guess: Guess) -> list[Piece]:
    """The statement cut where the owner changes; guess and truth have one structure, so their pieces pair up."""
    mine, its = _runs(guess.guess, guess.owner), _runs(guess.truth, guess.truth_owner)
    if [v for v, _ in mine] != [v for v, _ in its]:
        its = [(v, "") for v, _ in mine]
    return [(v, g, t) for (v, g), (_, t) in zip(mine, its, strict=True)]


def _runs(text: str, owner: np.ndarray) -> list[tuple[int, str]]:
    cuts = np.flatnonzero(np.diff(owner)) + 1
    edges = [0, *cuts.tolist(), len(text)]
    return [(int(owner[a]), text[a:b]) for a, b in pairwise(edges)]


def _hole_of(parent: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """int64 [N]: the node at whose place the hole is that a node fell into, -1 for kept nodes."""
    found = np.full(len(parent), -1, np.int64)
    for v, p in enumerate(parent.tolist()):
        if not kept[v]:
            found[v] = v if p < 0 or kept[p] else found[p]
    return found


def _tint(guess: Guess, v: int, theme: Theme) -> str:
    return theme.tints[theme.tint(float(guess.cost[v]) / DOUBTFUL)] if v >= 0 else CLEAR


def _doubt(guess: Guess, v: int) -> str:
    return "" if v < 0 else f"{escaped(guess.kind[v])} {escaped(cut(guess.own[v], 40))}<br>costs {guess.cost[v]:.3f} nats to keep"


def _set_blocks(guess: Guess, pieces: list[Piece], left: np.ndarray, hole: np.ndarray, theme: Theme) -> list[tuple[Any, ...]]:
    """Kept pieces one by one; neighbours that fell into one hole are one block."""
    blocks: list[tuple[Any, ...]] = []
    last = -1
    for i, (v, text, _) in enumerate(pieces):
        at = int(hole[v]) if v >= 0 else -1
        if at >= 0 and at == last:
            blocks[-1] = (blocks[-1][0], left[i + 1] - blocks[-1][0], *blocks[-1][2:])
        elif at >= 0:
            blocks.append((left[i], left[i + 1] - left[i], "", theme.tints[1], theme.ink, "/", "a hole: any code may stand here"))
        else:
            blocks.append((left[i], left[i + 1] - left[i], text, _tint(guess, v, theme), theme.ink, "", _doubt(guess, v)))
        last = at
    return blocks


def _truth_block(guess: Guess, piece: Piece, left: float, wide: int, hole: np.ndarray, theme: Theme) -> tuple[Any, ...]:
    v, mine, its = piece
    wrong = v >= 0 and bool(guess.wrong[v]) and mine.strip() != its.strip()
    if not wrong:
        return left, wide, its, CLEAR, theme.ink, "", "guessed rightly"
    said = f"{escaped(cut(its.strip(), 40))} was meant, the model made it {escaped(cut(mine.strip(), 40))}"
    if hole[v] < 0:
        return left, wide, its, VERMILION, ON_HUE, "", f"wrong and kept: {said}"
    return left, wide, its, GREEN, ON_HUE, "", f"saved by a hole: {said}"


def _verdict(seen: Holed, hole: np.ndarray) -> str:
    wrong = seen.guess.wrong
    if not wrong.any():
        return "every word was guessed rightly"
    if (wrong & (hole < 0)).any():
        return "a wrong word was kept (red), so the set misses it"
    return "what was guessed wrongly (green) lies in a hole, so it fits"


def _tree(guess: Guess, pieces: list[Piece], left: np.ndarray, hole: np.ndarray, theme: Theme, most: int) -> list[dict[str, Any]]:
    """Edges between kept nodes, edges into holes, and the nodes, each below its own stretch of the text."""
    n = len(guess)
    spans = np.full((n, 2), np.nan)
    for i, (v, _, _) in enumerate(pieces):
        while v >= 0:
            spans[v] = np.fmin(spans[v, 0], left[i]), np.fmax(spans[v, 1], left[i + 1])
            v = int(guess.parent[v])
    depth = np.zeros(n, np.int64)
    for v in range(1, n):
        depth[v] = depth[guess.parent[v]] + 1
    step = min(60.0, (HEIGHT - TREE_TOP - CHIP / 2) / max(int(depth.max(initial=0)), 1))
    x, y = spans.mean(axis=1), HEIGHT - TREE_TOP - depth * step
    lines: dict[bool, tuple[list[float | None], list[float | None]]] = {True: ([], []), False: ([], [])}
    for v, p in enumerate(guess.parent.tolist()):
        if p >= 0:
            xs, ys = lines[bool(hole[v] < 0)]
            xs += [float(x[p]), float(x[v]), None]
            ys += [float(y[p]) - CHIP / 2 + 2, float(y[v]) + CHIP / 2 - 2, None]      # lines lie above bars
    edges = [{"type": "scatter", "mode": "lines", "x": lines[kept][0], "y": lines[kept][1], "hoverinfo": "skip",
              "line": {"color": theme.muted if kept else theme.faint, "width": 2 if kept else 1.2, "dash": "solid" if kept else "dot"}}
             for kept in (True, False)]
    return [*edges, _bars(theme, None, [_node(guess, v, float(x[v]), float(y[v]), hole, theme, most) for v in range(n)], most)]


def _node(guess: Guess, v: int, x: float, y: float, hole: np.ndarray, theme: Theme, most: int) -> tuple[Any, ...]:
    text = cut(guess.own[v], most)
    wide = len(text) + 0.8
    top, inside = bool(hole[v] == v), bool(hole[v] >= 0)
    fill = theme.tints[1] if top else theme.surface if inside else _tint(guess, v, theme)
    ink = theme.muted if inside else theme.ink
    said = _doubt(guess, v) + ("<br>the hole starts here" if top else "<br>inside of a hole" if inside else "")
    if guess.wrong[v]:
        said += "<br>guessed wrongly"
        ink = theme.no if not inside else theme.yes[0]
    return x - wide / 2, wide, text, fill, ink, "/" if top else "", said, y


def statements(seen: Holed, theme: Theme) -> Figure:
    """A page of test statements as sets, the chosen one marked; a click on a line chooses it."""
    first = seen.statement // PAGE * PAGE
    lines = [(i, *_listed(seen, i)) for i in range(first, min(first + PAGE, seen.programs.m))]
    y = [PAGE - 1 - (i - first) for i, _, _ in lines]
    colors = {"✗": theme.no, "✓": theme.yes[0], "·": theme.muted}
    number = [i for i, _, _ in lines]
    data = [{"type": "bar", "orientation": "h", "x": [1.0], "y": [PAGE - 1 - (seen.statement - first)], "width": 0.92, "hoverinfo": "skip",
             "marker": {"color": theme.tints[2]}},
            {"type": "scatter", "mode": "text", "x": [0.012] * len(lines), "y": y, "text": [mark for _, mark, _ in lines], "customdata": number,
             "textposition": "middle right", "textfont": {"size": 13, "color": [colors[mark] for _, mark, _ in lines]}, "hoverinfo": "skip"},
            {"type": "scatter", "mode": "text", "x": [0.06] * len(lines), "y": y, "text": [escaped(cut(text, 40)) for _, _, text in lines],
             "customdata": number, "textposition": "middle right", "textfont": {"size": 12, "color": theme.ink, "family": MONO},
             "hovertext": [f"statement {i}: {escaped(cut(seen.programs.guesses[i].truth, 60))} was meant" for i in number], "hoverinfo": "text"}]
    return {"data": data, "layout": layout(theme, left=4, right=4, top=22, bottom=4, xaxis=bare(range=[0, 1], fixedrange=True),
            yaxis=bare(range=[-0.6, PAGE - 0.4], fixedrange=True),
            annotations=[note(f"{HOLE} a hole · ✓ it saved the set · ✗ missed", 0, 1, theme, yshift=3)])}


def _listed(seen: Holed, i: int) -> tuple[str, str]:
    """(mark, the set as text) of test statement ``i`` at the budget in use."""
    guess, kept = seen.programs.guesses[i], seen.programs.kept[i][seen.holes - 1, seen.chosen]
    hole = _hole_of(guess.parent, kept)
    text, last = "", -1
    for v, piece, _ in _pieces(guess):
        at = int(hole[v]) if v >= 0 else -1
        text += piece if at < 0 else HOLE if at != last else ""
        last = at
    return "✗" if bool((guess.wrong & kept).any()) else "✓" if guess.wrong.any() else "·", text
