"""The pictures of speculative decoding: the tree of a round, one node's arithmetic, rounds, text, cost and the law."""
