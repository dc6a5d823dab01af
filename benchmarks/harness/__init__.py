"""Code that all benchmarks share: processes that take turns, clocks, ratios, memory."""
