"""Settings of the whole suite: hypothesis draws the same examples in every run, with no time limit for a single one."""

from hypothesis import settings

settings.register_profile("npnets", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("npnets")
