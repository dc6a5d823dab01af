"""Recorded data, and the programs that recorded it."""
