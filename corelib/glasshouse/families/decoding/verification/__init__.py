"""The verification rules V0-V5: which guesses the target keeps so that the text has exactly its own law.

A rule looks at one node: p there, the children in draw order, the q each was drawn from. It is a *deterministic table* of
acceptance probabilities and the law left when all have failed; chance enters only in :mod:`.walk`, one uniform per test. So exact
laws follow by enumeration.
"""

from glasshouse.families.decoding.verification.rule import Table, TestInTurn, table
from glasshouse.families.decoding.verification.walk import verify

__all__ = ["Table", "TestInTurn", "table", "verify"]
