"""Sets of programs: a program with holes stands for all programs that fit it, and the true one fits as often as promised.

    from glasshouse.families.conformal.code import keep_jointly, most_errors, parse
    tree = parse("x = f(1)")                            # its syntax: nodes, parents, the text each owns
    keep_jointly(tree.parent, cost, budgets, most=1)    # bool [T, N]: what each budget of surprise pays for
    most_errors(500, eps=0.1, delta=0.1)                # 40: errors of 500 that still prove the promise
"""

from __future__ import annotations

from glasshouse.families.conformal.code.holes import keep_alone, keep_jointly
from glasshouse.families.conformal.code.pac import most_errors, needed_points
from glasshouse.families.conformal.code.trees import Tree, parse

__all__ = ["Tree", "keep_alone", "keep_jointly", "most_errors", "needed_points", "parse"]
