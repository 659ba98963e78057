"""Methods that reason about what detectors say."""
