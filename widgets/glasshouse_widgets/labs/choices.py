"""What a person has chosen in a lab: method, problem, seed, knobs, looks, compare, and all of it as a state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral
from typing import Any, ClassVar

import param

from glasshouse.schema.build import unknown
from glasshouse.schema.errors import BadValue, GlasshouseError, bad_value
from glasshouse.schema.knob import Cost
from glasshouse.schema.view import Preset
from glasshouse_widgets.labs import link, offer
from glasshouse_widgets.labs.core import CORE, Core
from glasshouse_widgets.labs.jobs import CLOCK, Clock, Post
from glasshouse_widgets.labs.knobs import Holder
from glasshouse_widgets.labs.parts import Group, Message
from glasshouse_widgets.labs.side import Side

_RANK: dict[Cost, int] = {"look": 0, "live": 1, "job": 2}


class Choices(param.Parameterized):
    """Holders of knobs and the verbs that move them. A verb never raises for what a person did: it sets ``message``.

    ``own`` is whether text of a person's own (paths, prompts) may be given; ``models`` are the model ids that may be chosen
    where it may not.
    """

    family: ClassVar[str] = ""                       # "decoding"
    room: ClassVar[str] = ""                         # whose methods, problems and looks: the family's, or those of "family.question"
    title: ClassVar[str] = ""                        # "Draft trees"
    question: ClassVar[str] = ""                     # "When does guessing ahead lose?" (for the gallery)
    sentence: ClassVar[str] = ""                     # one sentence for the gallery's card
    home: ClassVar[str] = ""                         # id of the method shown first; empty: the family's first
    rank: ClassVar[int] = 50                         # place in the gallery, low first
    sequence: ClassVar[str] = ""                     # the look that the player moves ("round"); empty: no player
    dials: ClassVar[type | None] = None              # a frozen dataclass of the lab's own looks, all of cost "look"

    method = param.String(doc="id of the method; set by choose()")
    problem = param.String(doc="name of the problem; set by choose()")
    seed = param.Integer(0, bounds=(0, 2**31 - 1), doc="all randomness derives from it")
    compare = param.String(doc="id of a second method, or empty")
    preset = param.String(doc="name of the preset chosen last, empty once a knob has moved")
    message = param.Parameter(None, doc="Message or None")
    moved = param.Integer(0, doc="grows with every move of a choice, knob or look")

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.room = cls.room if cls.room.startswith(f"{cls.family}.") else cls.family

    @classmethod
    def page(cls) -> str:
        """The lab's name in links and addresses."""
        return cls.room.replace(".", "-")

    def __init__(self, post: Post, core: Core | None = None, own: bool = True, models: tuple[str, ...] = (),
                 clock: Clock = CLOCK, **values: Any) -> None:
        super().__init__()
        self.core = core or CORE()
        self.own, self.models, self._post, self.clock = own, models, post, clock
        self._quiet = False
        self.placed = False                     # a link or a preset said where the player stands, and no run has begun since
        self._told: list[tuple[Cost, list[Side]]] = []
        self.infos = {info.id: info for info in self.core.methods(self.room)}
        self.problems = {p.name: p for p in self.core.problems(self.room) if own or not offer.needs_a_file(p)}
        self.home_method = self.home or next(iter(self.infos))
        self.sides = [Side(self.core, self.infos[self.home_method], post, clock)]
        self.looks = Holder(self.core.looks(self.room))
        self.dial = Holder(self.dials) if self.dials else None
        self._defaults = (self.home_method, next(iter(self.problems)))
        self.param.update(method=self._defaults[0], problem=self._defaults[1])
        self.setting = Holder(self.problems[self.problem])
        self._listen(*self._holders())
        self.param.watch(self._chosen, ["method", "problem", "seed", "compare"])
        first: dict[str, Any] = {k: values.pop(k) for k in ("method", "problem", "seed", "compare") if k in values}
        self._apply(first, values)

    # Verbs

    def set(self, name: str, value: Any, side: int = 0) -> None:
        """Move one knob, problem field, look or dial. A value that is not allowed leaves all as it was and sets ``message``."""
        self.update({name: value}, side)

    def update(self, values: Mapping[str, Any], side: int = 0) -> None:
        """Move several at once, all or none."""
        with self._telling(side, next(iter(values)) if len(values) == 1 else ""):
            self._apply({}, values, side)

    def choose(self, **choice: Any) -> None:
        """Set any of ``method, problem, seed, compare``."""
        with self._telling():
            self._apply(choice, {})

    def choose_preset(self, name: str) -> None:
        """Back to the defaults, then what the preset says."""
        found = {p.name: p for p in self.presets}
        with self._telling():
            if name not in found:
                raise unknown("preset", name, found)
            self._restore({"method": self.method, "problem": found[name].problem or self._defaults[1], "compare": self.compare,
                           "seed": self.seed, "values": found[name].values})
            self.preset = name

    def reset(self) -> None:
        """The lab as it opened."""
        self.message = None
        self._restore({})

    # State

    def state(self) -> dict[str, Any]:
        """JSON with a version. Every choice, the defaults too, since these may change; no text that a person typed."""
        state: dict[str, Any] = {"version": link.VERSION, "lab": self.page(), "method": self.method, "problem": self.problem,
                                 "seed": self.seed, "compare": self.compare, "preset": self.preset, "values": {}}
        for holder in self._holders():
            part = "other" if len(self.sides) > 1 and holder is self.sides[1].knobs else "values"
            sayable = {n: v for n, v in holder.values().items() if holder.fields[n].kind != "text"}
            state[part] = state.get(part, {}) | {n: list(v) if isinstance(v, tuple) else v for n, v in sayable.items()}
        return state

    def open_state(self, state: Mapping[str, Any]) -> None:
        """Be as ``state`` says; where it cannot be had, be as at the start and say why in ``message``."""
        self.message = None
        try:
            checked = link.check(state, self.page())
            self._restore(checked)
            if checked["preset"] in {p.name for p in self.presets}:     # its question; one that is no more says nothing
                self.preset = checked["preset"]
        except GlasshouseError as error:
            self._restore({})
            self.message = Message(f"The link could not be opened, so this is the lab as it starts. {error}")

    def link(self) -> str:
        """The state as a query string."""
        return link.to_query(self.state())

    def open_link(self, query: str) -> None:
        """Like :meth:`open_state`, from a query string; an empty one changes nothing."""
        try:
            state = link.from_query(query)
        except GlasshouseError as error:
            self._restore({})
            self.message = Message(str(error))
            return
        if state:
            self.open_state(state)

    # For renderers

    def call(self, method: str) -> str:
        """A short name of a method."""
        return offer.short_name(self.infos[method])

    def named(self, side: int) -> str:
        """What one side of a comparison is called; a method beside itself is called second."""
        name = self.call(self.sides[side].info.id)
        return f"{name} (second)" if side and self.compare == self.method else name

    @property
    def presets(self) -> tuple[Preset, ...]:
        return self.sides[0].info.presets

    @property
    def values(self) -> dict[str, Any]:
        """Every knob of the first method, field of the problem, look and dial, by name."""
        return {n: v for h in self._holders(0) for n, v in h.values().items()}

    @property
    def changed(self) -> dict[str, Any]:
        """What is not at its default, by name, that of the compared method ending in ``~b``; no text that a person typed."""
        found: dict[str, Any] = {}
        for holder in self._holders():
            end = "~b" if holder is self.sides[-1].knobs and len(self.sides) > 1 else ""
            found |= {f"{n}{end}": v for n, v in holder.changed().items() if holder.fields[n].kind != "text"}
        return found

    def controls(self) -> tuple[Group, ...]:
        """Controls by the question they answer."""
        return offer.groups(self)

    # Inside

    def _change(self, cost: Cost, sides: list[Side]) -> None:
        """Something moved; told once per verb."""

    def _holders(self, side: int | None = None) -> list[Holder]:
        sides = self.sides if side is None else self.sides[side:side + 1]
        return [*(s.knobs for s in sides), self.setting, self.looks, *([self.dial] if self.dial else [])]

    def _listen(self, *holders: Holder) -> None:
        for holder in holders:
            if holder.fields:
                holder.box.param.watch(lambda *events, holder=holder: self._moved(holder, events), list(holder.fields))

    def _moved(self, holder: Holder, events: tuple[Any, ...]) -> None:
        with self._at_once():
            self.preset = ""
            cost: Cost = max((holder.fields[e.name].knob.cost for e in events), key=_RANK.__getitem__)
            self.placed &= cost == "look"
            own = [s for s in self.sides if s.knobs is holder]
            self._told.append((cost, own or list(self.sides)))

    def _chosen(self, *events: Any) -> None:
        with self._at_once():
            names = {e.name for e in events}
            if "method" in names:
                self.sides[0].switch(self.infos[self.method])
                self._listen(self.sides[0].knobs)
            if "problem" in names:
                self.setting = Holder(self.problems[self.problem])
                self._listen(self.setting)
            if "compare" in names:
                for side in self.sides[1:]:
                    side.close()
                self.sides = self.sides[:1]
                if self.compare:
                    self.sides.append(Side(self.core, self.infos[self.compare], self._post, self.clock))
                    self._listen(self.sides[1].knobs)
            self.preset, self.placed = "", False
            moved = self.sides[:1] if "method" in names else []
            moved = [*moved, *(self.sides[1:] if "compare" in names else [])]
            self._told.append(("job", list(self.sides) if names & {"problem", "seed"} else moved))

    def _checked(self, choice: Mapping[str, Any]) -> dict[str, Any]:
        checked = dict(choice)
        for name, known in (("method", self.infos), ("compare", self.infos), ("problem", self.problems)):
            given = str(checked.get(name, "") or "")
            given = given if name == "problem" else given.replace("_", "-")
            if given and given not in known:
                raise unknown(name, given, known)
            if name in checked and (given or name == "compare"):
                checked[name] = given
        seed = checked.get("seed", 0)
        if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= int(seed) < 2**31:
            raise bad_value("seed", seed, "a whole number from 0 to 2147483647")
        checked |= {"seed": int(seed)} if "seed" in checked else {}
        return {k: v for k, v in checked.items() if v != "" or k == "compare"}

    def _apply(self, choice: Mapping[str, Any], values: Mapping[str, Any], side: int = 0) -> None:
        """Raises: BadValue, before anything has moved by ``values``."""
        with self._at_once():
            self.param.update(**self._checked(choice))
            if side >= len(self.sides):
                raise bad_value("compare", self.compare, "a second method: choose one first")
            holders = self._holders(side) if side == 0 else [self.sides[side].knobs]
            known = {name: h for h in holders for name in h.fields}
            for name, value in values.items():
                if name not in known:
                    raise unknown("knob", name, known)
                field = known[name].fields[name]
                offered = offer.offered(field, self.own, self.models)
                if offered is None or (offered is not field and value not in offered.choices):
                    raise bad_value(name, value, "what this lab offers: own models, files and prompts are switched off here")
            reads = [(h, h.read({n: v for n, v in values.items() if known[n] is h})) for h in holders]
            for holder, read in reads:
                holder.box.param.update(**read)

    def _restore(self, state: Mapping[str, Any]) -> None:
        """Everything from the defaults on. Raises: BadValue."""
        with self._at_once():
            self._apply({"method": state.get("method") or self._defaults[0], "problem": state.get("problem") or self._defaults[1],
                         "compare": state.get("compare", ""), "seed": state.get("seed", 0)}, {})
            for name in (*state.get("values", {}), *state.get("other", {})):
                if any(name in h.fields and h.fields[name].kind == "text" for h in self._holders()):
                    raise BadValue(f"{name} is text of a person's own: it never travels in a link.", name)
            for holder in self._holders():
                holder.box.param.update(**holder.defaults())
            self._apply({}, state.get("values", {}))
            if len(self.sides) > 1:
                self._apply({}, state.get("other", {}), side=1)
            self.placed = self.sequence in state.get("values", {})

    @contextmanager
    def _telling(self, side: int = 0, sole: str = "") -> Iterator[None]:
        """Errors become the message, beside the knob they name, or beside ``sole``, the only one that moved."""
        self.message = None                         # before: what moved may have something to say itself
        try:
            yield
        except GlasshouseError as error:
            knob = error.argument or sole
            self.message = Message(str(error), f"{knob}~b" if side and knob else knob)

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """However much moves inside, :meth:`_change` is told once, of the dearest."""
        outermost, self._quiet = not self._quiet, True
        try:
            yield
        finally:
            if outermost:
                told, self._told, self._quiet = self._told, [], False
                if told:
                    self.param.update(moved=self.moved + 1, message=None)
                    sides = [s for s in self.sides if any(s in some for _, some in told)]
                    self._change(max((cost for cost, _ in told), key=_RANK.__getitem__), sides)
