"""Methods for streams that drift: one file each."""
