"""What drafting methods are made of: a draft model that follows the text, and a tree that grows over it."""

from glasshouse.families.decoding.drafting.growing import Growing
from glasshouse.families.decoding.drafting.model import DraftModel
from glasshouse.families.decoding.drafting.noise import gumbel, one, with_replacement, without_replacement

__all__ = ["DraftModel", "Growing", "gumbel", "one", "with_replacement", "without_replacement"]
