"""Primitives that two or more families use."""
