"""Prediction intervals for numbers, one published method a file."""
