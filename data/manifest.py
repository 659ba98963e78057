"""Rewrite manifest.toml: size and SHA-256 of everything that ships here. Run it after an artefact was remade."""

from __future__ import annotations

import hashlib
from pathlib import Path

HERE = Path(__file__).resolve().parent


def lines() -> list[str]:
    kept = sorted(p for p in HERE.rglob("*") if p.is_file() and p.suffix not in (".py", ".md", ".toml", ".pyc"))
    found = ["# Written by manifest.py: what ships, its size in bytes and its SHA-256."]
    for path in kept:
        content = path.read_bytes()
        found += ["", f'[files."{path.relative_to(HERE).as_posix()}"]', f"bytes = {len(content)}",
                  f'sha256 = "{hashlib.sha256(content).hexdigest()}"']
    return found


if __name__ == "__main__":
    (HERE / "manifest.toml").write_text("\n".join(lines()) + "\n", "utf-8")
