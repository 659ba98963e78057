"""Prediction sets that keep their promise when the image is changed by an attacker."""
