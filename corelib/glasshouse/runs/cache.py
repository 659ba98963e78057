"""Prepared artefacts kept on disk: trained heads, fitted models, learned policies.

Kept under the user's cache folder, or ``GLASSHOUSE_CACHE``; it may be deleted at any time. The key is method, knobs,
problem, seed and the source of everything a family may import.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import sys
from collections.abc import Generator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import glasshouse
from glasshouse.catalogue import FamilyModules, MethodInfo
from glasshouse.numerics.seeds import Seeds
from glasshouse.schema.events.base import Progress


def folder() -> Path:
    """Where artefacts are kept."""
    if chosen := os.environ.get("GLASSHOUSE_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "glasshouse"


def prepared(info: MethodInfo, modules: FamilyModules, method: Any, problem: Any, seeds: Seeds) -> Generator[Progress, None, Any]:
    """Yields the progress of preparing and returns the artefact; at once where it is already kept.

    A folder that cannot be written costs the keeping, never the run.
    """
    if modules.prepare is None:
        raise TypeError(f"{info.id} says prepares = True, but its family has no prepare()")
    key = _key(info, method, problem, seeds)
    try:
        return _kept(key, [])
    except (IndexError, OSError):  # not kept, or no longer readable
        pass
    artefact = yield from _run(modules.prepare(method, problem, seeds))
    with suppress(OSError):
        _kept(key, [artefact])
    return artefact


def _run(work: Any) -> Generator[Progress, None, Any]:
    artefact = None
    for item in work:
        if isinstance(item, Progress):
            yield item
        else:
            artefact = item
    return artefact


def _artefact(key: str, box: list[Any]) -> Any:
    """Memorised by ``key`` alone. An empty box means: only if kept."""
    return box.pop()


def _kept(key: str, box: list[Any]) -> Any:
    from joblib import Memory

    return Memory(folder() / "prepared", verbose=0).cache(_artefact, ignore=["box"])(key, box)


def _key(info: MethodInfo, method: Any, problem: Any, seeds: Seeds) -> str:
    said = (info.id, dataclasses.asdict(method), type(problem).__qualname__, dataclasses.asdict(problem), seeds.seed,
            code_version(info.family, next(p for p in info.path.parents if p.name == info.family)))
    return hashlib.blake2b(repr(said).encode(), digest_size=16).hexdigest()


@lru_cache(maxsize=64)
def code_version(family: str, home: Path) -> str:
    """A hash of the sources that a method of this family may import: the family itself and the rooms below it."""
    root = Path(glasshouse.__file__).parent
    rooms = [home, root / "models", root / "numerics", root / "kernels", root / "schema"]
    digest = hashlib.blake2b(f"{glasshouse.__version__}/{family}".encode(), digest_size=16)
    for source in sorted(p for room in rooms for p in room.rglob("*.py")):
        digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()
