"""Limits that no real file reaches, so that what a file makes its reader do is bounded."""

MOST_VALUES = 2**18
"""The most values in a checkpoint's manifest, and the most dicts, lists and tuples in a pickle. An array takes up to
seven of them, so that more than 30,000 arrays fit."""

MOST_AXES = 64
"""The most axes of an array: NumPy's own limit."""
