"""Language models as decoding sees them: a scorer over a cache and a tree, and the ways to get one."""

from __future__ import annotations

from glasshouse.models.language.cached import CachedScorer
from glasshouse.models.language.lean import LeanScorer, scorer_for
from glasshouse.models.language.loading import LoadedOnce, Pair, load_model, load_pair, load_tokenizer
from glasshouse.models.language.pieces import pieces
from glasshouse.models.language.scorer import Scorer, extend
from glasshouse.models.language.tabular import TabularLM

__all__ = ["CachedScorer", "LeanScorer", "LoadedOnce", "Pair", "Scorer", "TabularLM", "extend", "load_model",
           "load_pair", "load_tokenizer", "pieces", "scorer_for"]
