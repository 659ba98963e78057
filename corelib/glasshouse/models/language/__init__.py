"""Language models as decoding sees them: a scorer over a cache and a tree, and the ways to get one."""
