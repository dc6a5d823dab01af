"""Shared by all readers and writers of files: faults, quoting in errors, limits, zip guards and atomic replacement.

Knows no format. A `Fault` describes what is wrong with a file, without its name; the public function that was called
puts the name in front of it.
"""
