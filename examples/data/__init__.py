"""Recorded data, and the programs that made it."""
