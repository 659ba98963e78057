"""One published method a file. Nothing is listed here: the catalogue reads the folder."""
