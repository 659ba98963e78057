"""Published scores, one a file."""
