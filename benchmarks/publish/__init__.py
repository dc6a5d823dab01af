"""Writes every published number, table and figure from the benchmarks' result files.

    python -m benchmarks.publish            # writes README.md, docs/*.rst, docs/numbers.txt and docs/figures
    python -m benchmarks.publish --check    # changes nothing, and fails if a page and its result file disagree

The files `docs/results/NAME.json` are the only source. A page marks the position of a block, and the function of the
same name in `benchmarks.publish.blocks` creates its text. A single number in a sentence is a substitution, `|name|`,
defined in `benchmarks.publish.numbers`.
"""
