"""The text so far, tinted by who wrote it and in which round."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from glasshouse.schema.events.decoding import Prompt, Round
from glasshouse.schema.piece import running
from glasshouse_widgets.figures.decoding.words import piece as piece_of
from glasshouse_widgets.figures.palette import MONO, Figure, Theme, bare, layout, note
from glasshouse_widgets.figures.tokens import across, escaped, fitting

Kind = Literal["prompt", "accepted", "final"]
LINE = 16                                       # px


@dataclass(frozen=True)
class Stretch:
    """A run of text of one kind from one round; ``round`` -1 for the prompt."""

    text: str
    round: int
    kind: Kind


def stretches(prompt: Prompt | None, rounds: Sequence[Round]) -> list[Stretch]:
    """The whole text in order. In a round the accepted guesses come first, then the target's own token.

    A character whose bytes several tokens share stands with the last of them.
    """
    parts: list[tuple[Sequence[str], int, Kind]] = [(prompt.pieces, -1, "prompt")] if prompt is not None else []
    for i, event in enumerate(rounds):
        pieces = event.text or tuple(piece_of(event, t) for t in event.committed)
        parts += [(pieces[:event.accepted], i, "accepted"), (pieces[event.accepted:], i, "final")]
    added = iter(running(piece for pieces, _, _ in parts for piece in pieces))
    found = [Stretch("".join(itertools.islice(added, len(pieces))), i, kind) for pieces, i, kind in parts]
    return [s for s in found if s.text]


def lines(parts: Sequence[Stretch], width: int) -> list[list[Stretch]]:
    """The stretches broken at newlines and at ``width`` columns, of which some characters take two."""
    done: list[list[Stretch]] = [[]]
    room = width
    for part in parts:
        for k, line in enumerate(part.text.expandtabs(4).split("\n")):
            if k:
                done.append([])
                room = width
            while line:
                if not room:
                    done.append([])
                    room = width
                fits = fitting(line, room)
                end = fits if fits == len(line) else line.rfind(" ", 0, fits) + 1 or fits or int(room == width)
                if end:
                    done[-1].append(Stretch(line[:end], part.round, part.kind))
                line, room = line[end:], 0 if line[end:] else room - across(line[:end])
    return done


def text_so_far(prompt: Prompt | None, rounds: Sequence[Round], current: int, theme: Theme, width: int = 42, height: int = 240) -> Figure:
    """The end of the text, in ``height`` px. Accepted guesses are green and lighter every other round; the target's own tokens
    are bold orange; the current round is underlined; later rounds are grey and slanted."""
    parts = lines(stretches(prompt, rounds), width)
    fits = max(1, (height - 40) // LINE)
    at = max((i for i, line in enumerate(parts) if any(s.round <= current for s in line)), default=0)
    last = min(len(parts), max(at + 3, fits))
    seen = parts[max(0, last - fits):last]
    body = "<br>".join("".join(_span(s, current, theme) for s in line) or "\u00a0" for line in seen)
    key = (f'<span style="color:{theme.yes[0]}">accepted</span>   <b style="color:{theme.own}">target\'s own</b>   '
           "<u>this round</u>   " f'<span style="color:{theme.muted}">prompt</span>')
    return {"data": [], "layout": layout(theme, left=10, right=6, top=26, bottom=6, xaxis=bare(range=[0, 1]), yaxis=bare(range=[0, 1]), annotations=[
        note(key, 0, 1, theme, yshift=5),
        note(body, 0, 1, theme, yanchor="top", yshift=-2, font={"family": MONO, "size": 12, "color": theme.ink})])}


def _span(part: Stretch, current: int, theme: Theme) -> str:
    text = escaped(part.text).replace(" ", "\u00a0")
    if part.round > current:
        return f'<span style="color:{theme.muted}"><i>{text}</i></span>'
    if part.kind == "prompt":
        return f'<span style="color:{theme.muted}">{text}</span>'
    color = theme.own if part.kind == "final" else theme.yes[part.round % 2]
    if part.round == current:
        bare = text.lstrip("\u00a0")
        text = text[:len(text) - len(bare)] + (f"<u>{bare}</u>" if bare else "")
    text = f"<b>{text}</b>" if part.kind == "final" else text
    return f'<span style="color:{color}">{text}</span>'
