"""Tables of numbers as people's programs save them: commas, semicolons or tabs; decimal points or commas; a header or none."""

from __future__ import annotations

import io
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

import numpy as np

MISSING = ("", "na", "n/a", "nan", "null", "none", "?")
NUMERIC = re.compile(r"[-+\d.,eE' ]*\d[-+\d.,eE' ]*")       # perhaps written wrongly, but no name
QUOTED = re.compile(r'"([^",\n]*),([^",\n]*)"')


def read_table(path: Path) -> np.ndarray:
    """float64 [n, c]. A first line of which a cell is neither a number nor missing is a header; empty lines are skipped.

    Raises: ValueError naming the line, what stands there and what is wanted.
    """
    text = _text(path.read_bytes())
    first = next(iter(text.splitlines()), "")
    if not first.strip():
        raise ValueError("its first line is empty")
    mark = next((m for m in ";\t" if m in first), ",")
    head = _is_header(first, mark)
    body = text.split("\n", 1)[1] if head and "\n" in text else "" if head else text
    if not body.strip():
        raise ValueError("it holds no row of numbers")
    body = _pointed(body, mark, 1 + head)
    try:
        table: np.ndarray = np.loadtxt(io.StringIO(body), delimiter=mark, ndmin=2, quotechar='"', comments=None)
    except ValueError as error:
        raise ValueError(_why(body, mark, 1 + head) or str(error)) from None
    if mark == "," and not re.search(r"[.eE]", body) and _halves(table):
        raise ValueError('its numbers have no decimal point, so the commas may be decimal ones: separate columns by ";" then')
    return table


def _text(data: bytes) -> str:
    """UTF-8, or UTF-16 where its mark says so; line ends as \\n."""
    try:
        text = data.decode("utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text: save it as CSV in UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_header(line: str, mark: str) -> bool:
    cells = [cell.strip().strip('"').strip() for cell in line.split(mark)]
    return any(cell.lower() not in MISSING and not _number(cell) and not NUMERIC.fullmatch(cell) for cell in cells)


def _pointed(body: str, mark: str, start: int) -> str:
    """``body`` with decimal commas as points. Raises: ValueError where a mark could be either."""
    if mark == ",":
        if not QUOTED.search(body):
            return body
        marked, commas = QUOTED.sub(r"\1.\2", body), body
        dotted = re.search(r'\d\.\d', QUOTED.sub("", commas))
    elif "," in body:
        marked, dotted = body.replace(",", "."), re.search(r"\d\.\d", body)
    else:
        return body
    if dotted:
        line = start + body[: body.find(dotted.group())].count("\n")
        raise ValueError(f"it holds decimal commas and, as in line {line}, points: write all numbers with one mark and none for thousands")
    return marked


def _halves(table: np.ndarray) -> bool:
    """Whether whole-number cells could be both sides of the decimal commas of probabilities: 0 or 1, then a fraction; the label last."""
    before, after = table[:, :-1:2], table[:, 1:-1:2]
    return bool(table.shape[1] % 2 and table.shape[1] > 4 and np.isin(before, (0, 1)).all() and (after > 1).any())


def _why(body: str, mark: str, start: int) -> str:
    """The first line that is no row of numbers like the others."""
    width = 0
    for number, line in enumerate(body.split("\n"), start):
        if not line.strip():
            continue
        cells = [cell.strip().strip('"') for cell in line.split(mark)]
        width = width or len(cells)
        for column, cell in enumerate(cells, 1):
            if cell.strip().lower() in MISSING and not _number(cell):
                return f"line {number} has nothing in column {column}: every row needs all of its numbers"
            if not _number(cell):
                return f"line {number}, column {column}: {cell[:40]!r} is no number"
        if len(cells) != width:
            return f"line {number} has {len(cells)} columns, those before it {width}"
    return ""


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
