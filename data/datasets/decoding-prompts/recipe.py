"""Cut the held-out prompts of the decoding problems from the held-out modules of the bundled language models.

    python recipe.py [--held-out heldout.txt] [--tokenizer tokenizer.json]

Eight prompts of each kind, at most one from a module, all cut at line ends and 60 to 200 tokens long: ``code`` (a definition without
a docstring, up to the middle of its body), ``docstring`` (up to the middle of one), ``repetitive`` and ``entropy`` (the lines whose
token 4-grams repeat most and least). Nothing is random: the rule chooses.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SEPARATOR = "<|file|>"
SHORTEST, WANTED, LONGEST = 60, 110, 200
PROMPTS = 8

Encode = Callable[[str], list[int]]


def spans(lines: list[str], starts: Iterator[int], encode: Encode) -> Iterator[tuple[str, list[int], int]]:
    """(text, tokens, first line) of whole lines from each start on, of every length allowed."""
    for start in starts:
        for end in range(start + 1, min(start + 60, len(lines))):
            # No newline at the end: the tokenizer joins it with the indent that follows, and alone it means the end of a block.
            text = "\n".join(lines[start:end])
            if len(text) < 2 * SHORTEST or not lines[end - 1].strip():
                continue
            ids = encode(text)
            if len(ids) > LONGEST:
                break
            if len(ids) >= SHORTEST:
                yield text, ids, start


def definitions(lines: list[str]) -> Iterator[int]:
    return (i for i, line in enumerate(lines) if line.lstrip().startswith(("def ", "class ")))


def shallow(lines: list[str]) -> Iterator[int]:
    return (i for i, line in enumerate(lines) if line.strip() and not line.startswith(" " * 5))


def repetition(ids: list[int]) -> float:
    """Share of token 4-grams that were there before."""
    grams = [tuple(ids[i:i + 4]) for i in range(len(ids) - 3)]
    return 1.0 - len(set(grams)) / len(grams)


def variety(ids: list[int]) -> float:
    return len(set(ids)) / len(ids)


def score(kind: str, text: str, ids: list[int]) -> float | None:
    """Larger is better; None where the span is not of this kind."""
    length = -abs(len(ids) - WANTED) / WANTED
    lines, quotes = text.splitlines(), text.count('"""')
    if kind == "code":
        alone = sum(line.lstrip().startswith(("def ", "class ", "@")) for line in lines) == 1
        return length if alone and quotes == 0 and len(lines) >= 5 else None
    if kind == "docstring":
        inside = text.partition('"""')[2].splitlines()
        return length if quotes == 1 and len(inside) >= 4 and '"""' in "".join(lines[1:3]) else None
    words = sum(c.isalpha() for c in text) / len(text)
    if length < -0.15 or words < 0.45:
        return None
    return repetition(ids) if kind == "repetitive" else variety(ids) - repetition(ids)


def best(kind: str, modules: dict[str, str], encode: Encode) -> list[dict[str, Any]]:
    """The best span of each module, and of those the best eight, by falling score; ties by module."""
    found = []
    for name, text in modules.items():
        lines = text.split("\n")
        starts = definitions(lines) if kind in ("code", "docstring") else shallow(lines)
        rated = [(value, -start, span, len(ids)) for span, ids, start in spans(lines, starts, encode)
                 if (value := score(kind, span, ids)) is not None]
        if rated:
            value, start, span, tokens = max(rated)
            found.append({"module": name, "line": 1 - start, "tokens": tokens, "text": span, "score": value})
    found.sort(key=lambda e: (-e["score"], e["module"]))
    return [{k: v for k, v in e.items() if k != "score"} for e in found[:PROMPTS]]


def main(argv: list[str] | None = None) -> None:
    from tokenizers import Tokenizer

    data = HERE.parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held-out", type=Path, default=data / "datasets" / "python-stdlib-heldout" / "heldout.txt")
    parser.add_argument("--files", type=Path, default=data / "models" / "python-stdlib" / "files.json")
    parser.add_argument("--tokenizer", type=Path, default=data / "models" / "python-stdlib" / "tokenizer.json")
    parser.add_argument("--out", type=Path, default=HERE / "prompts.json")
    args = parser.parse_args(argv)
    tokenizer = Tokenizer.from_file(str(args.tokenizer))
    whole = args.held_out.read_text("utf-8")
    names = json.loads(args.files.read_text("utf-8"))["held_out"]
    modules = dict(zip(names, whole.split(SEPARATOR), strict=True))

    def encode(text: str) -> list[int]:
        return list(tokenizer.encode(text, add_special_tokens=False).ids)

    kinds = ("code", "docstring", "repetitive", "entropy")
    result = {"held_out_sha256": hashlib.sha256(whole.encode()).hexdigest(),
              "prompts": {kind: best(kind, modules, encode) for kind in kinds}}
    args.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
