"""Tree shapes that are decided before any token is known: one to be filled by ranks, one that is optimal in expectation."""

from glasshouse.families.decoding.templates.acceptance import measured_acceptance, sibling_acceptance
from glasshouse.families.decoding.templates.optimal import optimal_tokens, optimal_tree, reach, regular_tokens
from glasshouse.families.decoding.templates.ranked import LEVELS, ranked_tree
from glasshouse.families.decoding.templates.shape import Shape, numbered

__all__ = ["LEVELS", "Shape", "measured_acceptance", "numbered", "optimal_tokens", "optimal_tree", "ranked_tree", "reach", "regular_tokens",
           "sibling_acceptance"]
