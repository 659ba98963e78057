"""How many settings of a method a person has tried on the same calibration points: keeping the best of them breaks the promise."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from glasshouse.schema.guarantee import Guarantee
from glasshouse_widgets.labs.base import Lab, Shown
from glasshouse_widgets.labs.side import Request

KEPT = ("marginal", "group", "class", "risk", "PAC", "adversarial")      # promises that are broken by choosing after looking
FRESH = ("split", "shuffle", "draw")        # fields of problems that bring points that nobody has seen


class Peeks:
    """Settings of the method seen on the data of now. Other data, another method and a preset begin anew."""

    def __init__(self) -> None:
        self._on: object = None
        self._seen: set[object] = set()

    def saw(self, request: Request, data: Collection[str], begun: bool) -> int:
        """How many settings have been seen, that of ``request`` included.

        ``data`` names the fields that say which points calibrate; ``begun`` is whether a person has chosen just this by name.
        """
        values = sorted(request.values.items())
        on = (request.info.id, request.problem, request.seed, tuple((n, v) for n, v in values if n in data))
        if begun or on != self._on:
            self._on, self._seen = on, set()
        self._seen.add(tuple((n, v) for n, v in values if n not in data))
        return len(self._seen)


def downgraded(promise: Guarantee, settings: int, fresh: str) -> Guarantee:
    """The promise, as long as one setting alone has been seen; ``fresh`` names the control that brings other points."""
    if settings < 2:
        return promise
    return promise.downgraded("heuristic", f"You have tried {settings} settings on the same calibration points. What was promised holds for one "
                                           f"chosen beforehand, not for the best of several: move {fresh} for points that nobody has seen.")


class Watched(Lab):
    """A lab of promises about calibration points: weaker once several settings were tried on the same."""

    def __init__(self, **choices: Any) -> None:
        self._peeks = Peeks()
        super().__init__(**choices)

    def promise(self, shown: Shown, actual: Guarantee) -> Guarantee:
        request = self.sides[0].request
        if request is None or actual.kind not in KEPT:      # nothing was promised: no promise was chosen among others
            return actual
        tried = self._peeks.saw(request, self.setting.fields, bool(self.preset))
        fields = self.setting.fields
        return downgraded(actual, tried, next((fields[name].label for name in FRESH if name in fields), "the seed"))
