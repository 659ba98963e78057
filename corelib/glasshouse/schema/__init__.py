"""What may be said: papers, knobs, guarantees, views, events, records, errors. Standard library and NumPy only."""
