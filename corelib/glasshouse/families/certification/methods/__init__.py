"""Ways to train networks whose answers can be proved: one file each."""
