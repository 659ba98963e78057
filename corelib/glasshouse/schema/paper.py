"""Where a method comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Paper:
    """One publication. ``where`` names the place the code follows, for example ``"Alg. 1, eq. 7"``."""

    title: str
    authors: str
    year: int
    arxiv: str = ""
    doi: str = ""
    where: str = ""

    @property
    def url(self) -> str:
        return f"https://arxiv.org/abs/{self.arxiv}" if self.arxiv else f"https://doi.org/{self.doi}" if self.doi else ""
