"""Record how the bundled language model completes shorthand for held-out Python, and how sure it is.

    python recipe.py [--statements 1000] [--out .]      # a few minutes on one core
    python recipe.py --solve-only                       # what the room's default method keeps, from what is recorded

Of every name, attribute and argument in a statement, only the first three letters are typed. The model reads the module up to the
statement and completes the words from left to right: the most probable one given what it read, what it has chosen so far, and the letters.
Candidates are the words of the module's text before the statement, and a few lists that every Python programmer knows;
the statement itself is never looked at beyond the letters, its structure and its numbers, strings and operators.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import io
import json
import keyword
import platform
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glasshouse.families.conformal.code.trees import parse, wrong
from glasshouse.models.language import load_pair, scorer_for
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.errors import GlasshouseError

HERE = Path(__file__).resolve().parent
HELD_OUT = HERE.parents[1] / "datasets" / "python-stdlib-heldout" / "heldout.txt"
SEPARATOR = "<|file|>"
CONTEXT, MOST_CANDIDATES = 256, 24              # tokens read before a statement; candidates whose whole probability is computed
SHORTEST, LONGEST = 12, 60                      # characters of a statement
FEWEST, MOST = 5, 25                            # nodes of its tree
PER_MODULE = 60
LETTERS = 3                                     # of a word that are typed
SIMPLE = (ast.Assign, ast.AugAssign, ast.Return, ast.Expr, ast.Assert, ast.Raise)
UNSUITED = (ast.JoinedStr, ast.Lambda, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
METHODS = tuple(sorted({n for t in (str, list, dict, set) for n in dir(t) if not n.startswith("_")}))
BUILTINS = tuple(n for n in dir(builtins) if not keyword.iskeyword(n))


@dataclass(frozen=True)
class Slot:
    """A word that is guessed: characters ``start`` to ``end`` of the true statement, with the one blank before it if there is one."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Place:
    """A statement, and all that stands before it in its module."""

    module: int
    line: int
    before: str
    text: str


def places(module: int, source: str) -> Iterator[Place]:
    """The one-line statements of a module that suit: nothing else on their line."""
    lines = source.split("\n")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, SIMPLE) or node.lineno != node.end_lineno or any(isinstance(n, UNSUITED) for n in ast.walk(node)):
            continue
        line = lines[node.lineno - 1]
        text = line.strip()
        if not (line.isascii() and SHORTEST <= len(text) <= LONGEST) or line[node.col_offset:node.end_col_offset] != text:
            continue
        if FEWEST <= len(parse(text)) <= MOST and len(slots(text)) >= 2 and node.lineno > 1:
            indent = line[:len(line) - len(line.lstrip())]
            yield Place(module, node.lineno, "\n".join(lines[:node.lineno - 1]) + "\n" + indent, text)


def words(source: str) -> Iterator[tuple[int, int, str, str]]:
    """(line, column, kind, text) of the words of some Python, up to where it cannot be read."""
    last, defining = "", False
    try:
        for t in tokenize.generate_tokens(io.StringIO(source).readline):
            if t.type == tokenize.NAME and not keyword.iskeyword(t.string):
                yield (*t.start, "attribute" if last == "." else "definition" if defining else "name", t.string)
            defining, last = t.string in ("def", "class"), t.string
    except (tokenize.TokenError, IndentationError):
        return


def slots(text: str) -> list[Slot]:
    tree = parse(text)
    return [Slot(column - (column > 0 and text[column - 1] == " "), column + len(word),
                 "argument" if kind == "name" and tree.kind[tree.owner[column]] == "keyword" else kind)
            for _, column, kind, word in words(text)]


def candidates(kind: str, typed: str, seen: dict[str, list[str]]) -> list[str]:
    """The words that may stand here and begin as typed, the latest seen first."""
    lists: dict[str, tuple[Any, ...]] = {
        "name": (seen["name"], seen["definition"], BUILTINS), "attribute": (seen["attribute"], seen["definition"], METHODS),
        "argument": (seen["name"], seen["attribute"])}
    every = dict.fromkeys(word for part in lists[kind] for word in part)
    return [w for w in every if (w == typed if len(typed) < LETTERS else w.startswith(typed))] or [typed]


Costs = list[tuple[int, float]]


class Guesser:
    """The bundled target reading a place of a module. Everything after the context is tentative, so the context is read once."""

    def __init__(self) -> None:
        pair = load_pair()
        self.tokenizer, self.scorer = pair.tokenizer, scorer_for(pair.target)
        size = self.scorer.vocab_size
        piece = [self.tokenizer.decode([i]) for i in range(size)]
        ends = torch.tensor([not (p[:1].isalnum() or p[:1] == "_") for p in piece])
        self.word_ends = torch.where(ends, 0.0, -torch.inf)
        self.piece = piece

        self.known: dict[str, list[int]] = {}

    def ids(self, text: str) -> list[int]:
        if text not in self.known:
            self.known[text] = list(self.tokenizer(text, add_special_tokens=False).input_ids)
        return self.known[text]

    def read(self, before: str) -> None:
        """Commits all of the context but its last token, which starts the tentative tree."""
        ids = (self.ids(SEPARATOR) + self.ids(before[-6 * CONTEXT:] if len(before) > 6 * CONTEXT else before))[-CONTEXT:]
        self.scorer.reset()
        self.scorer.score(torch.tensor(ids[:-1]), torch.arange(-1, len(ids) - 2), slice(0, 0))
        self.scorer.keep(range(len(ids) - 1))
        self.last = ids[-1]

    def start(self) -> None:
        self.scorer.keep([])
        self.end = -1
        self.follow([self.last])

    def follow(self, ids: list[int]) -> None:
        """Appends a chain; ``self.log_p`` then is what may follow, float32 [V], natural logarithms."""
        first = self.scorer.pending
        if ids:
            parents = [self.end, *range(first, first + len(ids) - 1)]
            self.log_p = torch.log_softmax(self.scorer.score(torch.tensor(ids), torch.tensor(parents), slice(len(ids) - 1, len(ids)))[0], -1)
            self.end = first + len(ids) - 1

    def choose(self, blank: str, words: list[str], typed: str) -> tuple[str, float]:
        """The most probable of ``words`` to stand here and end here, and -ln of its probability given what was typed.

        What was typed has the probability of all first tokens that agree with it: of words that were never seen too. A word of fewer
        letters is known.
        """
        ids = [self.ids(blank + word) for word in words]
        first_p = self.log_p[[row[0] for row in ids]].tolist()
        order = sorted(range(len(words)), key=lambda i: -first_p[i])[:MOST_CANDIDATES]
        trie: dict[tuple[int, ...], int] = {}
        for i in order:
            for n in range(1, len(ids[i]) + 1):
                trie.setdefault(tuple(ids[i][:n]), len(trie))
        nodes, first = sorted(trie, key=lambda path: trie[path]), self.scorer.pending
        parents = [first + trie[path[:-1]] if len(path) > 1 else self.end for path in nodes]
        after = torch.log_softmax(self.scorer.score(torch.tensor([path[-1] for path in nodes]), torch.tensor(parents)), -1)
        log_p = [first_p[i] + sum(float(after[trie[tuple(ids[i][:n])], ids[i][n]]) for n in range(1, len(ids[i])))
                 + float(torch.logsumexp(after[trie[tuple(ids[i])]] + self.word_ends, 0)) for i in order]
        best, asked = int(np.argmax(log_p)), blank + typed
        agree = [i for i, p in enumerate(self.piece) if p.strip() and (p.startswith(asked) or asked.startswith(p))]
        total = max(float(torch.logsumexp(self.log_p[agree], 0)), float(np.logaddexp.reduce(log_p)))
        self.follow(ids[order[best]])
        return words[order[best]], max(0.0, total - log_p[best]) if len(typed) == LETTERS else 0.0

    def guess(self, before: str, true: str, seen: dict[str, list[str]]) -> tuple[str, str, Costs, Costs]:
        """(what is typed, what the model makes of it, its words and its tokens: where each ends, and its negative log-likelihood in nats).

        Of ``true``, only the structure, what is no word, and the first letters of words are used.
        """
        self.read(before)
        self.start()
        text, shorthand, chosen, at = "", "", [], 0
        for slot in slots(true):
            said = true[slot.start:slot.end]
            scaffold, blank = true[at:slot.start], said[:len(said) - len(said.lstrip())]
            typed = said.strip()[:LETTERS]
            self.follow(self.ids(scaffold))
            word, nll = self.choose(blank, candidates(slot.kind, typed, seen), typed)
            if scaffold:
                chosen.append((len(text) + len(scaffold), 0.0))
            text, shorthand = text + scaffold + blank + word, shorthand + scaffold + blank + typed
            chosen.append((len(text), nll))
            at = slot.end
        text, shorthand = text + true[at:], shorthand + true[at:]
        return shorthand, text, chosen if at == len(true) else [*chosen, (len(text), 0.0)], self.tokens(text)

    def tokens(self, text: str) -> list[tuple[int, float]]:
        """Every token of ``text`` as the tokenizer cuts it."""
        coded = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ids = [self.last, *coded.input_ids]
        self.scorer.keep([])
        log_p = torch.log_softmax(self.scorer.score(torch.tensor(ids), torch.arange(-1, len(ids) - 1)), -1)
        nll = -log_p[torch.arange(len(ids) - 1), torch.tensor(ids[1:])]
        return [(int(end), max(0.0, float(v))) for (_, end), v in zip(coded.offset_mapping, nll, strict=True)]


def drawn(modules: list[str], total: int) -> list[Place]:
    """At most so many from a module, shuffled."""
    found: list[Place] = []
    for number, source in enumerate(modules):
        here = list(places(number, source))
        order = Seeds(0).numpy("statements of a module", number).permutation(len(here))[:PER_MODULE]
        found += [here[i] for i in order]
    return [found[i] for i in Seeds(0).numpy("statements").permutation(len(found))[:total]]


def record(total: int) -> dict[str, np.ndarray]:
    torch.set_num_threads(1)
    modules = HELD_OUT.read_text("utf-8").split(SEPARATOR)
    spoken = [list(words(source)) for source in modules]
    guesser = Guesser()
    truth, shorthands, guessed, slot, token = [], [], [], [], []
    for n, place in enumerate(drawn(modules, total)):
        seen: dict[str, list[str]] = {k: [] for k in ("name", "definition", "attribute")}
        for line, _, kind, word in reversed(spoken[place.module]):
            if line < place.line:
                seen[kind].append(word)
        shorthand, text, chosen, tokens = guesser.guess(place.before, place.text, seen)
        if not same_shape(place.text, text):
            continue                            # where nothing fits, three letters may be a keyword
        truth.append(place.text), shorthands.append(shorthand), guessed.append(text), slot.append(chosen), token.append(tokens)
        if (n + 1) % 20 == 0:
            share = np.mean([wrong(parse(g), parse(t)).any() for g, t in zip(guessed, truth, strict=True)])
            print(f"{n + 1} of {total}: {100 * share:.1f} % of the guesses are wrong somewhere", flush=True)
    return {"truth": np.array(truth), "typed": np.array(shorthands), "guess": np.array(guessed), **_ragged("word", slot), **_ragged("token", token)}


def same_shape(*texts: str) -> bool:
    try:
        shapes = [(t.kind, t.parent.tolist()) for t in map(parse, texts)]
    except GlasshouseError:
        return False
    return all(shape == shapes[0] for shape in shapes)


def _ragged(name: str, rows: list[list[tuple[int, float]]]) -> dict[str, np.ndarray]:
    return {f"{name}_count": np.array([len(row) for row in rows], np.int32),
            f"{name}_end": np.array([end for row in rows for end, _ in row], np.uint8),
            f"{name}_nll": np.array([nll for row in rows for _, nll in row], np.float32)}


def solve(folder: Path) -> None:
    """``kept.npz``: what the room's method keeps of every statement at every budget, as bits M x T x N."""
    from glasshouse.families.conformal.code.problems import read_statements
    from glasshouse.families.conformal.methods.code.pac_code import PACCode

    methods = [PACCode(), PACCode(cost_of="text")]
    statements = read_statements(folder / "statements.npz")
    lines: dict[str, np.ndarray] = {}
    for number, method in enumerate(methods):
        kept = [method.keep(s.guess.parent, method.cost(s)) for s in statements]
        lines[f"bits_{number}"] = np.packbits(np.concatenate([k.ravel() for k in kept]))
        lines[f"shape_{number}"] = np.array(kept[0].shape[:2], np.int32)
        print(f"solved for {method}", flush=True)
    np.savez_compressed(folder / "kept.npz", methods=np.array([repr(m) for m in methods]), **lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--solve-only", action="store_true")
    asked = parser.parse_args()
    if not asked.solve_only:
        found = record(asked.statements)
        np.savez_compressed(asked.out / "statements.npz", **found)
        errors = float(np.mean([wrong(parse(str(g)), parse(str(t))).any() for g, t in zip(found["guess"], found["truth"], strict=True)]))
        said = {"kind": "a language model's completions of shorthand for statements of known structure", "letters_typed": LETTERS,
                "statements": len(found["truth"]), "context_tokens": CONTEXT, "candidates": MOST_CANDIDATES, "seed": 0,
                "quality": {"wrong_somewhere": round(errors, 4)},
                "made_with": {n: metadata.version(n) for n in ("torch", "transformers", "numpy", "scipy")} | {"python": platform.python_version()}}
        (asked.out / "config.json").write_text(json.dumps(said, indent=1) + "\n", "utf-8")
    solve(asked.out)


if __name__ == "__main__":
    main()
