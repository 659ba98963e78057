"""The Draft Tree Lab: guessing ahead, and what a real target model makes of the guesses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal
from weakref import WeakKeyDictionary

from annotated_types import Ge, Le

from glasshouse.schema.events.decoding import CostCurve, LosslessCheck, NodeLook, NodeState, Prompt, Round
from glasshouse.schema.knob import Knob
from glasshouse_widgets.figures.decoding import cost, lossless, node, placing, rounds, text, tree
from glasshouse_widgets.figures.decoding.words import ended
from glasshouse_widgets.figures.palette import empty
from glasshouse_widgets.labs.base import Action, Lab, Reading, Shown, Slot, Story

STAGE, LOW = 480, 340   # px: the stage alone, and with another below it

SEE = ("{guessed} One forward of the target scored every node; then verification walked down from the root. Green discs were accepted, "
       "crosses rejected, hollow circles never reached. The bold line became text; a star is the target's own token. {outcome}")
PLAIN = "Nothing is ever guessed here: one forward of the target, one token of text. This is what guessing ahead has to beat."
NOTHING = "Nothing was guessed in this round, so the target's forward gave one token, as without guessing."
OUTCOME = {
    "correction": "No guess at the star passed: that token is a correction.",
    "bonus": "The path ran off the tree: that token is a bonus.",
    "end": "Here the text ends, so the target added none.",
}
TRY = {
    "end": "Step back to a round in the middle of the text.",
    "nothing": "Step back to a round with a tree.",
    "plain": "Choose another method above and watch how many tokens one forward buys.",
    "correction": "Click a cross: its bars and u say why it failed.",
    "bonus": "Give the tree one more level, and see whether the luck holds.",
}
COUPLED = {
    "V0": "Both follow the target's most likely token, so both write the same text; only the number of forwards differs.",
    "coupled": "Both share one row of noise per text position, so two lossless methods write the same text.",
    "V4": "Both use the same uniform per text position and follow it, so both write the same text.",
    "": "The seed is shared, but rules that test guesses in turn use it differently: the texts have the same law, not the same words.",
}
ASK_COST = "not measured yet: press “Measure cost”"
ASK_LAW = "not counted yet: press “Is it lossless?”"
NO_ROUND = "every round so far was cut by the end of the text"

MEANING = {
    "forward": "Tokens of text per forward of the target, over all rounds so far. Plain decoding has exactly 1.",
    "kept": "Share of the places where guesses were examined at which one of them was accepted.",
    "guesses": "Guesses sent to the target in one forward, on average over rounds.",
    "round": "Tokens this round added: the accepted guesses and the target's own.",
    "speed": "Tokens per second of rounds on this machine: drafting, the target's forward, verification. Not the prompt, not the record.",
}


@dataclass(frozen=True)
class Dials:
    """Looks of this lab: what the cost dial assumes, and which bug the check is to be shown."""

    knee: Annotated[int, Ge(1), Le(512), Knob(cost="look", group="what you assume", unit="tokens", label="accelerator is flat up to",
                                              help="an assumed forward costs the same up to here and grows in proportion beyond")] = 64
    planted: Annotated[Literal["none", "iid-residual", "ratio-on-top-k", "sample-then-drop"],
                       Knob(cost="look", group="what you assume", label="plant a biased rule",
                            help="runs in the method's place when losslessness is checked; the badge must turn red")] = "none"


class DraftTreeLab(Lab):
    """A draft tree grows and is verified, round by round, with the real p, q and u of real models."""

    family: ClassVar[str] = "decoding"
    title: ClassVar[str] = "Draft trees"
    question: ClassVar[str] = "When does guessing ahead lose?"
    sentence: ClassVar[str] = "A small model guesses a tree of continuations; one forward of the large model keeps what it would have said."
    home: ClassVar[str] = "decoding.dyspec"
    sequence: ClassVar[str] = "round"
    dials: ClassVar[type | None] = Dials
    actions: ClassVar[tuple[Action, ...]] = (
        Action("cost", "Measure cost", "times forwards of many sizes, hot, on this machine", "measuring"),
        Action("lossless", "Is it lossless?", "counts two-token texts of the exact toy model against their law", "counting"),
    )
    slots: ClassVar[tuple[Slot, ...]] = (
        Slot("tree", "What was guessed, and what was kept", "stage", STAGE,
             "Tree of guesses from left to right by depth; marks say accepted, rejected or not tested; the accepted path is bold.", stacked=LOW),
        Slot("node", "The chosen guess: p, q and u", "state", 330,
             "Mirrored bars of the draft's and the target's probability for the ten tokens that matter, and the uniform that decided."),
        Slot("text", "The text so far, by round", "second", 240, "The prompt, accepted guesses and the target's own tokens, tinted by round.", True),
        Slot("rounds", "Tokens per target forward", "second", 240, "Bars of accepted guesses and the target's own token by round, with the mean."),
        Slot("depth", "Acceptance by depth", "second", 300, "Share of rounds that kept a guess at each depth, with intervals."),
        Slot("lossless", "Lossless?", "second", 300, "Counted two-token texts of the toy model against their exact law, with a chi-square test."),
        Slot("cost", "The cost dial: does it pay?", "second", 360,
             "Tokens per forward, the cost of a forward, and the speed-up they make, over the size of the tree.", True),
    )

    def __init__(self, **choices: Any) -> None:
        self._rooms: WeakKeyDictionary[Round, placing.Extent] = WeakKeyDictionary()
        self._counted = ""
        super().__init__(**choices)
        self._dial_box().param.watch(lambda _: self._plant(), ["planted"])
        self.param.watch(lambda _: self._settle(), ["running"])

    # What is drawn

    def draw(self, name: str, shown: Shown, other: Shown | None) -> dict[str, Any]:
        look, mine, others = _look(shown), _rounds(shown), _rounds(other) if other else []
        names = (_slug(shown), _slug(other)) if other else ("", "")
        theme, prompt = shown.theme, _prompt(shown)
        if name == "tree":
            room = self._room([*mine, *others], placing.HEIGHT - (STAGE - LOW if other else 0))
            if other:
                room = room.joined(placing.extent(_look(other).round))      # two trees side by side stand alike
            return tree.stage(look, _before(prompt, mine, look.index), rounds.rates(mine[:look.index + 1]), theme, room)
        if name == "node":
            return node.bars(look, theme)
        if name == "text":
            return text.text_so_far(prompt, mine, look.index, theme)
        if name == "rounds":
            return rounds.per_round(mine, look.index, theme, others, names)
        if name == "depth":
            return rounds.by_depth(mine, theme, others, names)
        if name == "cost":
            return self._cost(shown, mine)
        check = shown.studies.get("lossless")
        return lossless.badge(check, theme, self._counted) if isinstance(check, LosslessCheck) else empty(theme, ASK_LAW)

    def _cost(self, shown: Shown, mine: Sequence[Round]) -> dict[str, Any]:
        curve = shown.studies.get("cost")
        if not isinstance(curve, CostCurve):
            return empty(shown.theme, ASK_COST)
        found = cost.dial(mine, curve, shown.looks["knee"])
        return cost.figure(found, shown.theme) if found is not None else empty(shown.theme, NO_ROUND)

    def _room(self, all_rounds: Sequence[Round], height: float) -> placing.Extent:
        """One stage for every round of the run, so that nothing jumps while it plays; only a round much deeper than wide has its own."""
        room = placing.Extent()
        for event in all_rounds:
            if event not in self._rooms:
                self._rooms[event] = placing.extent(event)
            room = room.joined(self._rooms[event])
        return replace(room, height=height).eased

    def own_state(self, shown: Shown) -> Mapping[str, Any]:
        return _look(shown).extra

    def span(self, shown: Shown) -> tuple[int, int]:
        return _look(shown).index, _look(shown).rounds

    # What is said

    def table(self, shown: Shown) -> Mapping[str, Iterable[Any]]:
        """A row per guess of the round, the last committed token first."""
        event = _look(shown).round
        n = len(event.token)
        return {"guess": range(n), "parent": event.parent, "depth": event.depth, "token_id": event.token,
                "token": [str(event.pieces.get(t, f"#{t}")) for t in event.token.tolist()], "draft_q": event.q_token, "target_p": event.p_token,
                "accepted_with": event.accept, "u": event.u, "decision": [NodeState(s).name.lower() for s in event.state.tolist()]}

    def read(self, shown: Shown) -> tuple[Reading, ...]:
        look, mine = _look(shown), _rounds(shown)
        if not mine:
            return ()
        tokens, seconds = sum(r.tokens for r in mine), sum(r.seconds for r in mine)
        offered, kept = (int(a.sum()) for a in rounds.acceptance(mine))
        return (
            Reading("tokens per forward", f"{tokens / len(mine):5.2f}", "", MEANING["forward"]),
            Reading("accepted", f"{100 * kept / offered:3.0f}" if offered else "  –", "%", MEANING["kept"]),
            Reading("guesses", f"{sum(r.nodes - 1 for r in mine) / len(mine):5.1f}", "a round", MEANING["guesses"]),
            Reading("this round", f"{look.round.tokens:2d}", "tokens", MEANING["round"]),
            Reading("speed here", f"{tokens / seconds:5.0f}" if seconds else "    –", "tokens/s", MEANING["speed"]),
        )

    def explain(self, shown: Shown, other: Shown | None) -> Story:
        event = _look(shown).round
        if event.nodes <= 1:
            never = all(r.nodes <= 1 for r in _rounds(shown))
            return Story(PLAIN if never else NOTHING, TRY["plain" if never else "nothing"])
        guesses = event.nodes - 1
        guessed = f"{guesses} {'guess was' if guesses == 1 else 'guesses were'} drafted as a tree."
        kind = "end" if ended(event) else event.final_kind
        return Story(SEE.format(guessed=guessed, outcome=OUTCOME[kind]), TRY[kind])

    def coupling(self, shown: Shown, other: Shown) -> str:
        rules = {_look(shown).round.rule, _look(other).round.rule}
        return COUPLED.get(rules.pop() if len(rules) == 1 else "", COUPLED[""])

    # What a hand does

    def clicked(self, slot: str, point: Mapping[str, Any]) -> None:
        chosen = point.get("customdata")
        if chosen is None:
            return
        if slot == "tree":
            # Held at this round: while text still comes, a clicked node must not slip away under the hand.
            index = _look(self._seen[point.get("side", 0)]).index if self._seen else -1
            self.update({"round": index, "node": int(chosen)})
        elif slot == "rounds":
            self.update({"round": int(chosen) - 1, "node": -1})

    def act(self, name: str) -> None:
        if name != "lossless" or name in self.acting:
            super().act(name)
            return
        planted = self._dial_box().planted
        self._counted = self.method if planted == "none" else ""
        self.study("lossless", planted="" if planted == "none" else planted)

    def _plant(self) -> None:
        """The bug was exchanged: a check that a person has asked for is counted again."""
        if "lossless" in self.acting or "lossless" in self.studies:
            self.stop_study("lossless")
            self.act("lossless")

    def _look(self) -> None:
        """A prompt is no picture yet: the last good one stays until every run has its first round."""
        begun = [side.session.computed for side in self.sides if side.session is not None]
        if all(any(isinstance(event, Round) for event in events) for events in begun):
            super()._look()

    def _settle(self) -> None:
        """The text is written: rest on a round that shows most, since the last one had little room to guess."""
        if self.running or self.status != "live" or not self._seen or self.player is None or self.placed:
            return
        if self.looks.values()["round"] != -1:
            return
        said = self.message                 # nobody has moved anything: it is still to be read
        self.player.scrub(telling(_rounds(self._seen[0])))
        self.message = said

    def _go(self, position: int) -> None:
        """Another round has another tree: the node chosen in the last one means nothing there. The preset is what it was."""
        preset = self.preset
        self.update({"round": position, "node": -1})
        self.preset = preset

    def _dial_box(self) -> Any:
        assert self.dial is not None
        return self.dial.box


def telling(mine: Sequence[Round]) -> int:
    """The first round with the most to see: guesses accepted, up to three, beside others rejected; then the larger tree."""
    def worth(event: Round) -> tuple[bool, int, int]:
        both = event.accepted > 0 and bool((event.state == NodeState.REJECTED).any())
        return both, min(event.accepted, 3), event.nodes

    return max(range(len(mine)), key=lambda i: (worth(mine[i]), -i), default=0)


def _look(shown: Shown) -> NodeLook:
    assert isinstance(shown.event, NodeLook)
    return shown.event


def _rounds(shown: Shown) -> list[Round]:
    return [event for event in shown.computed if isinstance(event, Round)]


def _prompt(shown: Shown) -> Prompt | None:
    return next((event for event in shown.computed if isinstance(event, Prompt)), None)


def _slug(shown: Shown) -> str:
    return shown.info.id.partition(".")[2]


def _before(prompt: Prompt | None, mine: Sequence[Round], index: int, most: int = 24) -> list[str]:
    """Display texts of the last tokens up to the root of round ``index``."""
    found: list[str] = []
    for event in reversed(mine[:index]):
        found = [*event.text, *found]
        if len(found) >= most:
            break
    return [*(prompt.pieces[-most:] if prompt is not None else ()), *found][-most:]
