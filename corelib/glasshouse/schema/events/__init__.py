"""What happened, step by step: frozen dataclasses of arrays and scalars. One file per family."""
