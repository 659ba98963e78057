"""Sets of programs: one program with holes stands for all that fit it."""
