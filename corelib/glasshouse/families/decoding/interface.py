"""What a decoding method is: it proposes a tree of guesses; the family verifies it with the target model.

p is the target's next-token distribution, q the draft's, both after temperature and top-p. Lossless always means:
equal in law to sampling from the processed target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le

from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

if TYPE_CHECKING:
    from glasshouse.families.decoding.drafting.model import DraftModel
    from glasshouse.models.language.scorer import Scorer

Rule = Literal["V0", "V1", "V2", "V3", "V4", "V5"]

Temperature = Annotated[float, Ge(0), Le(5), Knob(cost="job", group="how it samples", step=0.05)]
TopP = Annotated[float, Gt(0), Le(1), Knob(cost="job", group="how it samples", step=0.01, label="top-p")]
Coupled = Annotated[bool, Knob(cost="job", group="how it samples", label="shared noise", more=True,
                               help="one Gumbel row per text position: sampling becomes testable by equality")]

DraftTopP = Annotated[bool, Knob(cost="job", group="how it samples", label="top-p on the draft", more=True,
                                 help="cut the draft's law as well; uncut, it can fill trees whose siblings must all differ")]


@dataclass(frozen=True)
class Sampling:
    """How text is drawn from the target. ``temperature`` 0 is greedy. ``coupled`` fixes one Gumbel row per text position,
    so that the sampled text is one deterministic sequence which every lossless method reproduces token for token. ``draft_top_p`` says
    whether top-p cuts the draft's law too: the text's law does not depend on it, but a draft that is cut to a few tokens has no more to
    draw without replacement, and trees stay smaller than their budget."""

    temperature: Temperature = 0.0
    top_p: TopP = 1.0
    coupled: Coupled = False
    draft_top_p: DraftTopP = True

    @property
    def of_draft(self) -> Sampling:
        """How the draft's law is made."""
        return self if self.draft_top_p else replace(self, top_p=1.0)

    @property
    def greedy(self) -> bool:
        return self.temperature == 0.0


@dataclass(frozen=True, eq=False)
class TokenTree:
    """A tree of guesses. Node 0 is the root, the last committed token; every parent comes before its children.

    ``token, parent, rank, source, q_index`` int64 [n]. ``rank`` is the draw order among siblings (equal siblings are
    separate draws). ``q`` float64 [m, V] stacks draft distributions; ``q_index[i]`` is the row node i was drawn
    from *as it stood before any sibling was drawn*, or -1 where the node comes from no distribution (then only V0, V4 are legal).
    """

    token: np.ndarray
    parent: np.ndarray
    rank: np.ndarray
    q_index: np.ndarray
    q: np.ndarray
    source: np.ndarray
    sources: tuple[str, ...] = ("draft",)

    @property
    def size(self) -> int:
        return len(self.token)

    @cached_property
    def depth(self) -> np.ndarray:
        """int64 [n]; the root has 0."""
        depth = [0]
        for parent in self.parent.tolist()[1:]:
            depth.append(depth[parent] + 1)
        return np.asarray(depth, np.int64)

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Children of every node in draw order."""
        found: list[list[int]] = [[] for _ in range(self.size)]
        parent = self.parent.tolist()
        for i in (np.argsort(self.rank[1:], kind="stable") + 1).tolist():
            found[parent[i]].append(i)
        return tuple(map(tuple, found))


@dataclass(frozen=True, eq=False)
class Context:
    """What a method may look at when it drafts.

    ``tokens`` are all committed ids, prompt included; the last one is the root of the tree. ``room`` is how many tokens
    may still be committed: a useful tree is at most ``room - 1`` deep. ``draft`` follows the text and gives q, None where the
    method needs none.
    """

    tokens: Sequence[int]
    prompt_length: int
    room: int
    vocab_size: int
    sampling: Sampling
    seeds: Seeds
    draft: DraftModel | None = None

    @property
    def position(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True, eq=False)
class Proposal:
    """A tree and the method's own state at this moment, for its views. ``extra`` is only called when events are kept, before ``absorb``.

    It gives numbers of this round, a bounded few: never rows over the vocabulary, never the whole text. What can be computed from them
    may be a :class:`Lazy`, which is read after ``absorb``, perhaps much later, and must hold on to nothing that changes or is large.
    Ends of keys have a meaning. ``_token``: token ids, -1 for none, of which a reader gets the display texts. ``_past``: a number of
    which a look gives those of all rounds before. ``_span``: int64 [m, 3], (start, stop, value) over the text, of which a look gives
    one value a token, int64, 0 where there is none, and the tokens' texts as ``text``. :func:`.reading.whole_extra` does so.
    """

    tree: TokenTree
    extra: Callable[[], Mapping[str, Any]] = dict


@dataclass(frozen=True, eq=False)
class Outcome:
    """What verification decided. ``path`` leads from the root downwards; of equal siblings it takes the one below which the text goes on.

    ``tested`` maps node -> (acceptance probability, u or NaN, accepted). ``residual`` maps a node on the path where a child failed
    -> what was left of p there, float64 [V], when testing stopped; it is filled by the rules that test children in turn (V1-V3, V5).
    ``law`` maps a visited node -> p there, float64 [V], where the decision needed it (not when greedy).
    ``committed`` holds the accepted tokens and then ``final``; at the end of the text both it and ``path`` may be cut short.
    """

    path: tuple[int, ...]
    committed: tuple[int, ...]
    final: int
    final_node: int
    final_kind: Literal["correction", "bonus"]
    tested: Mapping[int, tuple[float, float, bool]] = field(default_factory=dict)
    residual: Mapping[int, np.ndarray] = field(default_factory=dict)
    law: Mapping[int, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Setting:
    """An opened problem: models with empty caches, the prompt, and how to go on.

    ``tokens`` is the prompt; ``eos`` ids end the text, themselves included; ``piece`` gives a token's display text, None where no
    tokenizer is known. ``calibration`` are token sequences that a method may measure itself on beforehand.
    """

    target: Scorer
    draft: Scorer | None
    tokens: tuple[int, ...]
    max_new_tokens: int
    sampling: Sampling
    eos: frozenset[int] = frozenset()
    piece: Callable[[int], str] | None = None
    calibration: tuple[tuple[int, ...], ...] = ()

    @property
    def forwards(self) -> dict[str, str]:
        """What computes "target" and "draft": "lean", "the model's own" with the reason, or the class of a scorer that does not say."""
        scorers = {"target": self.target, "draft": self.draft}
        return {role: getattr(scorer, "forward", type(scorer).__name__) for role, scorer in scorers.items() if scorer is not None}


@runtime_checkable
class Method(Protocol):
    """A published way to draft. A frozen dataclass whose fields are its knobs.

    ``rule`` is the verification rule that makes it lossless at temperature > 0 (V0 is used at 0).
    ``init`` gives cold memory; ``propose`` drafts; ``absorb`` learns from what the target said (``logits`` float [n, V], a NumPy array
    with one row per node of the tree) and returns the memory for the next round. ``absorb`` owns the state it is given;
    ``propose`` must not change it.

    A method that measures something first says ``prepares: ClassVar[bool] = True`` and is then also a :class:`Prepared`.
    """

    paper: ClassVar[Paper]
    guarantee: ClassVar[Guarantee]
    views: ClassVar[tuple[View, ...]]
    presets: ClassVar[tuple[Preset, ...]]
    rule: ClassVar[Rule]
    needs_draft: ClassVar[bool]

    def init(self, vocab_size: int) -> Any: ...

    def propose(self, state: Any, context: Context) -> Proposal: ...

    def absorb(self, state: Any, tree: TokenTree, outcome: Outcome, logits: Any) -> Any: ...


@runtime_checkable
class Prepared(Protocol):
    """What a method adds that must measure before it drafts.

    ``prepare`` yields at least every 100 ms; its last item is the artefact, plain data that pickles. It must ``fork`` the models of
    ``setting`` before using them, and do without ``calibration`` where that is empty. The artefact then starts the memory:
    ``init(vocab_size, prepared)``; ``init(vocab_size)`` alone gives a documented default.
    """

    prepares: ClassVar[bool]

    def prepare(self, setting: Setting, seeds: Seeds) -> Iterator[Progress | Any]: ...

    def init(self, vocab_size: int, prepared: Any = None) -> Any: ...


@runtime_checkable
class Explained(Protocol):
    """What a method adds that has more to show of a round once the target has spoken: it joins the event's ``extra``.

    Only called when events are kept; ``logits`` as in :meth:`Method.absorb`. It changes nothing; what it returns is as :class:`Proposal` says.
    """

    def explain(self, tree: TokenTree, outcome: Outcome, logits: Any, setting: Setting) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Look:
    """What a person can look at in a finished or running text without recomputing it."""

    round: Annotated[int, Ge(-1), Le(100_000), Knob(cost="look", group="where you look", help="-1 is the newest round")] = -1
    node: Annotated[int, Ge(-1), Le(100_000), Knob(cost="look", group="where you look", help="-1 is where the decision fell")] = -1
