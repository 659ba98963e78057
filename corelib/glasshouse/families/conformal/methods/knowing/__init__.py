"""Ways to learn probabilities, and how far off they are."""
