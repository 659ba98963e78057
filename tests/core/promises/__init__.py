"""Whether promises hold: every room draws fresh problems whose truth is known, and says of each what was claimed and what came of it."""
