"""Counts of what a call executes: instructions of the processor, and calls of Python functions.

Unlike times they do not depend on what else a machine does, so that continuous integration can compare them with those
of before. `counts.json` holds them; each count that rose has the reason beside it.
"""
