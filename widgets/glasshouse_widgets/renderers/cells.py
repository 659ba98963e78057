"""Which cell of a notebook shows which lab. A lab lives as long as a cell shows it or a name holds it.

A cell that is run again takes its output back: the views it showed are closed as it begins. When it has ended, what nothing shows and
nothing names any more is closed, work and memory with it. Cells are told apart by the id that the notebook sends with them; where none
comes (a terminal, a script) nothing is ever taken back.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, Protocol

from glasshouse_widgets.labs.base import Lab

MOST = 1000         # things in a collection among which a lab is looked for
_known: dict[int, Cells] = {}       # by shell: a process has one, tests have several


class Shown(Protocol):
    """One showing of a lab."""

    lab: Lab

    def close(self) -> None: ...


class Cells:
    """Of one notebook. ``shell`` is IPython's."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.views: dict[str, list[Shown]] = {}
        self.labs: list[Lab] = []
        shell.events.register("pre_run_cell", self.begin)
        shell.events.register("post_run_cell", self.end)

    def show(self, view: Shown) -> None:
        """The cell that runs now shows it."""
        parent: Mapping[str, Any] = getattr(self.shell, "get_parent", dict)() or {}
        cell = parent.get("metadata", {}).get("cellId")
        if cell:
            self.views.setdefault(cell, []).append(view)
            if not any(lab is view.lab for lab in self.labs):
                self.labs.append(view.lab)

    def begin(self, info: Any) -> None:
        """A cell runs: what it showed before is no longer on the screen."""
        for view in self.views.pop(getattr(info, "cell_id", None) or "", ()):
            view.close()

    def end(self, _: Any) -> None:
        """A cell has run: labs that nobody can reach are closed."""
        seen = {id(view.lab) for views in self.views.values() for view in views}
        hidden = self.shell.user_ns_hidden          # IPython's own, which keep every result
        names = [value for name, value in self.shell.user_ns.items()
                 if not name.startswith("_") and name not in hidden and value is not self.shell]
        for lab in [lab for lab in self.labs if id(lab) not in seen]:
            if lab.closed or not _holds(names, lab):
                self.labs = [one for one in self.labs if one is not lab]
                lab.close()
                self.forget(lab)

    def forget(self, lab: Lab) -> None:
        """IPython keeps every result of a cell."""
        self.shell.user_ns["_glasshouse"] = lab
        self.shell.del_var("_glasshouse", by_name=False)


def show(view: Shown) -> None:
    """A notebook shows ``view`` from now on; nothing where this is none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        if id(shell) not in _known:
            _known[id(shell)] = Cells(shell)
        _known[id(shell)].show(view)


def _holds(values: Iterable[Any], lab: Lab, deep: int = 3) -> bool:
    """Whether one of them is the lab, or a collection or object that has it, or one that has such a one."""
    return any(value is lab or (deep > 0 and _holds(_inside(value), lab, deep - 1)) for value in values)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, (ModuleType, type, Lab)):
        return ()
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value) if len(value) <= MOST else ()
    if not isinstance(value, Mapping):
        value = getattr(value, "__dict__", {})
    return list(value.values()) if len(value) <= MOST else ()
