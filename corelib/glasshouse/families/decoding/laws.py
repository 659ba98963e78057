"""What every decoding method must satisfy. A law takes a method class; it is true, or raises AssertionError saying what is broken."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import numpy as np
import torch

from glasshouse.families.decoding.drafting.noise import shared
from glasshouse.families.decoding.interface import Context, Look, Method, Outcome, Proposal, Sampling, Setting, TokenTree
from glasshouse.families.decoding.reading import node_look
from glasshouse.families.decoding.recording import Keep
from glasshouse.families.decoding.rounds import check, cold, drained, prepared_for, rounds
from glasshouse.families.decoding.verification.walk import choice
from glasshouse.models.language.tabular import TabularLM
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.decoding import Round

Law = Callable[[type], bool]


def law(reason: Callable[[type], str]) -> Law:
    """A law from a function that gives the reason why it does not hold, empty where it does."""
    @wraps(reason)
    def holds(cls: type) -> bool:
        broken = reason(cls)
        if broken:
            raise AssertionError(f"{cls.__name__}: {broken}")
        return True
    return holds


GREEDY, RANDOM, COUPLED = Sampling(0.0), Sampling(1.0), Sampling(1.0, coupled=True)
NARROW = Sampling(0.8, top_p=0.7)
NEW = 40
PROMPT = (1, 2, 3, 1, 2, 4, 1, 2)


def setting(sampling: Sampling, vocab_size: int = 8, new: int = NEW) -> Setting:
    """A toy pair that agrees about two times in three, and a prompt with repetitions."""
    target = TabularLM.random(vocab_size, order=2, seed=5)
    prompt = tuple(t % vocab_size for t in PROMPT)
    return Setting(target, target.perturbed(0.3), prompt, new, sampling, calibration=(prompt * 4,))


class Watched:
    """A method with a witness: what was proposed and absorbed, and whether arguments were changed on the way."""

    def __init__(self, method: Method) -> None:
        self.method = method
        self.rule, self.needs_draft = method.rule, method.needs_draft
        self.seen: list[tuple[TokenTree, int, int]] = []
        self.changed = ""

    def init(self, vocab_size: int, prepared: Any = None) -> Any:
        return self.method.init(vocab_size) if prepared is None else self.method.init(vocab_size, prepared)   # type: ignore[call-arg]

    def propose(self, state: Any, context: Context) -> Proposal:
        before = copy.deepcopy((state, list(context.tokens)))
        proposal = self.method.propose(state, context)
        proposal.extra()
        if not same(before, (state, list(context.tokens))):
            self.changed = self.changed or "propose changed its state or the text"
        self.seen.append((proposal.tree, context.room, context.tokens[-1]))
        return proposal

    def absorb(self, state: Any, tree: TokenTree, outcome: Outcome, logits: Any) -> Any:
        before = copy.deepcopy((tree, outcome, logits))
        after = self.method.absorb(state, tree, outcome, logits)
        if not same(before, (tree, outcome, logits)):
            self.changed = self.changed or "absorb changed the tree, the outcome or the logits"
        return after


def same(a: Any, b: Any) -> bool:
    """Equal in content: arrays, tensors, dataclasses and containers of them; NaN equals NaN."""
    if isinstance(a, np.ndarray | torch.Tensor):
        x, y = np.asarray(a), np.asarray(b)
        return x.shape == y.shape and bool(np.array_equal(x, y, equal_nan=x.dtype.kind == "f"))
    if dataclasses.is_dataclass(a) and not isinstance(a, type):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, Mapping):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, Sequence) and not isinstance(a, str):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b) or (a != a and b != b) or (hasattr(a, "__dict__") and type(a) is type(b) and same(vars(a), vars(b)))


def run(method: Any, given: Setting, seed: int = 0, keep: Keep = "none", state: Any = None, start: Method | None = None) -> tuple[list[Round], Any]:
    """(all rounds, the memory at the end). ``start`` is asked to prepare, where ``method`` is only a witness of it."""
    check(method, given)
    if state is None:
        state = cold(method, given.target.vocab_size, drained(prepared_for(start or method, given, Seeds(seed)))[1])
    return drained(rounds(method, given, Seeds(seed), state, keep))


def text(found: Sequence[Round]) -> list[int]:
    return [token for event in found for token in event.committed]


def plain(given: Setting, seed: int = 0) -> list[int]:
    """The text written one token at a time from the table itself."""
    tokens = list(given.tokens)
    for _ in range(given.max_new_tokens):
        row = given.target.next(tokens).log().numpy()       # type: ignore[attr-defined]
        if given.sampling.coupled:
            row = row / given.sampling.temperature + shared(Seeds(seed), len(row), len(tokens))
            tokens.append(int(row.argmax()))
        else:
            tokens.append(choice(row, given.sampling, Seeds(seed), len(tokens))[0])
    return tokens[len(given.tokens):]


@law
def greedy_text_is_the_targets(cls: type) -> str:
    return _equal(cls, GREEDY)


@law
def coupled_text_is_the_targets(cls: type) -> str:
    return _equal(cls, COUPLED)


@law
def point_mass_text_is_the_targets(cls: type) -> str:
    """V4 is one sample from p, so the text is that of plain sampling with the same seed."""
    return (_equal(cls, RANDOM) or _equal(cls, NARROW)) if cls.rule == "V4" else ""     # type: ignore[attr-defined]


def _equal(cls: type, sampling: Sampling) -> str:
    for seed in (0, 1):
        wanted = plain(setting(sampling), seed)
        found, memory = run(cls(), setting(sampling), seed)
        again, _ = run(cls(), setting(sampling), seed, state=memory)
        if text(found) != wanted:
            return f"{sampling}, seed {seed}: the text is {text(found)} instead of {wanted}"
        if text(again) != wanted:
            return f"{sampling}, seed {seed}, warm memory: the text is {text(again)} instead of {wanted}"
    return ""


@law
def trees_are_well_formed(cls: type) -> str:
    for sampling in (GREEDY, RANDOM, COUPLED, NARROW):
        witness = Watched(cls())
        run(witness, setting(sampling), start=witness.method)
        for tree, room, last in witness.seen:
            wrong = _tree_fault(tree, room, last) or ("" if sampling.greedy else _drawing_fault(tree, witness.rule, sampling))
            if wrong:
                return f"{sampling}: {wrong}"
    return ""


def _tree_fault(tree: TokenTree, room: int, last: int) -> str:
    n, parent = tree.size, tree.parent
    arrays = (tree.token, parent, tree.rank, tree.q_index, tree.source)
    if not all(a.shape == (n,) and a.dtype == np.int64 for a in arrays):
        return "arrays are not int64 [n]"
    if tree.token[0] != last or parent[0] != -1 or not ((parent[1:] >= 0) & (parent[1:] < np.arange(1, n))).all():
        return "the root is not the last token, or a parent does not come before its child"
    if tree.depth.max() > max(room - 1, 0):
        return f"deeper than room - 1 = {room - 1}"
    if len({(int(p), int(r)) for p, r in zip(parent[1:], tree.rank[1:], strict=True)}) != n - 1:
        return "siblings share a rank"
    if not ((tree.q_index >= -1) & (tree.q_index < len(tree.q))).all() or not ((tree.source >= 0) & (tree.source < len(tree.sources))).all():
        return "q_index or source points nowhere"
    if len(tree.q) and (tree.q.dtype != np.float64 or not np.allclose(tree.q.sum(1), 1.0, atol=1e-9) or (tree.q < 0).any()):
        return "rows of q are not float64 distributions"
    return ""


def _drawing_fault(tree: TokenTree, rule: str, sampling: Sampling) -> str:
    """What the rule needs to know of how children were drawn."""
    if rule == "V4":
        return ""
    if (tree.q_index[1:] < 0).any():
        return f"{rule} needs the q that each node was drawn from"
    if (tree.q[tree.q_index[1:], tree.token[1:]] <= 0).any():
        return "a token that its q excludes was drawn"
    for children in tree.children:
        tokens = tree.token[list(children)]
        if rule == "V1" and len(children) > 1:
            return "V1 takes one child a node"
        if rule in ("V3", "V5") and len(set(tree.q_index[list(children)].tolist())) > 1:
            return f"{rule} needs one q for all children of a node"
        if rule == "V3" and len(set(tokens.tolist())) != len(tokens):
            return "drawn twice without replacement"
    return ""


@law
def arguments_are_left_alone(cls: type) -> str:
    for sampling in (GREEDY, RANDOM):
        witness = Watched(cls())
        run(witness, setting(sampling), start=witness.method)
        if witness.changed:
            return witness.changed
    return ""


@law
def one_seed_gives_one_trace(cls: type) -> str:
    clocks = {"seconds", "target_seconds", "draft_seconds"}
    first, second = (run(cls(), setting(RANDOM), seed=3, keep="full")[0] for _ in range(2))
    for a, b in zip(first, second, strict=True):
        for field in dataclasses.fields(a):
            if field.name not in clocks and not same(getattr(a, field.name), getattr(b, field.name)):
                return f"round {a.round}: {field.name} differs between two runs of one seed"
    return ""


@law
def pictures_stay_as_they_were(cls: type) -> str:
    """The extras of a round are the same whether they are read at once or at the end, do not change, and hold what the views name."""
    method, given = cls(), setting(RANDOM)
    late = run(cls(), setting(RANDOM), keep="top")[0]
    state = cold(method, given.target.vocab_size, drained(prepared_for(method, given, Seeds(0)))[1])
    kept: list[tuple[Round, Any]] = []
    for event in rounds(method, given, Seeds(0), state, "top"):
        kept.append((event, copy.deepcopy(dict(event.extra))))
    for number, (event, then) in enumerate(kept):
        if not same(dict(event.extra), then) or not same(dict(late[number].extra), then):
            return f"the extras of round {number} changed afterwards"
    for number in range(len(kept)):
        extras = node_look([event for event, _ in kept], Look(number)).extra
        for view in method.views:
            named = {getattr(view, axis) for axis in ("x", "y", "z", "text", "color", "size", "parent")} - {""}
            missing = sorted(named - set(extras))
            if missing:
                return f"view {view.title!r} names {missing[0]!r}, which is not among the extras"
    return ""


@law
def two_tokens_are_vocabulary_enough(cls: type) -> str:
    for sampling in (GREEDY, COUPLED):
        given = setting(sampling, vocab_size=2, new=12)
        if text(run(cls(), given)[0]) != plain(setting(sampling, vocab_size=2, new=12)):
            return f"{sampling}: another text over two tokens"
    return ""


LAWS: tuple[Law, ...] = (greedy_text_is_the_targets, coupled_text_is_the_targets, point_mass_text_is_the_targets, trees_are_well_formed,
                         arguments_are_left_alone, one_seed_gives_one_trace, pictures_stay_as_they_were, two_tokens_are_vocabulary_enough)
