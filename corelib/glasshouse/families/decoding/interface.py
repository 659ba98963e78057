"""What a decoding method is: it proposes a tree of guesses; the family verifies it with the target model.

p is the target's next-token distribution, q the draft's, both after temperature and top-p. Lossless always means:
equal in law to sampling from the processed target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from annotated_types import Ge, Gt, Le

from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.guarantee import Guarantee
from glasshouse.schema.knob import Knob
from glasshouse.schema.paper import Paper
from glasshouse.schema.view import Preset, View

if TYPE_CHECKING:
    from glasshouse.families.decoding.drafting.model import DraftModel

Rule = Literal["V0", "V1", "V2", "V3", "V4", "V5"]


@dataclass(frozen=True)
class Sampling:
    """How text is drawn from the target. ``temperature`` 0 is greedy. ``coupled`` fixes one Gumbel row per text position,
    so that the sampled text is one deterministic sequence which every lossless method reproduces token for token."""

    temperature: Annotated[float, Ge(0), Le(5), Knob(cost="job", group="how it samples", step=0.05)] = 0.0
    top_p: Annotated[float, Gt(0), Le(1), Knob(cost="job", group="how it samples", step=0.01, label="top-p")] = 1.0
    coupled: Annotated[bool, Knob(cost="job", group="how it samples", label="shared noise", more=True,
                                  help="one Gumbel row per text position: sampling becomes testable by equality")] = False

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
        depth = np.zeros(self.size, np.int64)
        for i in range(1, self.size):
            depth[i] = depth[self.parent[i]] + 1
        return depth

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Children of every node in draw order."""
        found: list[list[int]] = [[] for _ in range(self.size)]
        for i in np.argsort(self.rank[1:], kind="stable") + 1:
            found[self.parent[i]].append(int(i))
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
    """A tree and the method's own state at this moment, for its views. ``extra`` is only read when events are kept."""

    tree: TokenTree
    extra: Callable[[], Mapping[str, Any]] = dict


@dataclass(frozen=True, eq=False)
class Outcome:
    """What verification decided. ``path`` starts with the root; ``tested`` maps node -> (acceptance probability, u or NaN, accepted);
    ``residual`` maps a node on the path -> what was left of p there, float64 [V], after all its tested children failed."""

    path: tuple[int, ...]
    committed: tuple[int, ...]
    final: int
    final_node: int
    final_kind: Literal["correction", "bonus"]
    tested: Mapping[int, tuple[float, float, bool]] = field(default_factory=dict)
    residual: Mapping[int, np.ndarray] = field(default_factory=dict)


@runtime_checkable
class Method(Protocol):
    """A published way to draft. A frozen dataclass whose fields are its knobs.

    ``rule`` is the verification rule that makes it lossless at temperature > 0 (V0 is used at 0).
    ``init`` gives cold memory; ``propose`` drafts; ``absorb`` learns from what the target said (``logits`` float [n, V], one row
    per node of the tree) and returns the memory for the next round. ``absorb`` owns the state it is given; ``propose`` must not change it.
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


@dataclass(frozen=True)
class Look:
    """What a person can look at in a finished or running text without recomputing it."""

    round: Annotated[int, Ge(-1), Le(100_000), Knob(cost="look", group="where you look", help="-1 is the newest round")] = -1
    node: Annotated[int, Ge(-1), Le(100_000), Knob(cost="look", group="where you look", help="-1 is where the decision fell")] = -1
