"""Every published number, table and picture, written from the result files that the measuring commands made.

    python -m benchmarks.publish            # writes README.md, docs/*.rst, docs/numbers.txt and docs/figures
    python -m benchmarks.publish --check    # changes nothing, and fails where a page and its result file disagree

`docs/results/NAME.json` is the one source. A page marks where a block belongs, and the block is made by the function of
the same name in `benchmarks.publish.blocks`; a single number in a sentence is a substitution, `|name|`, made by
`benchmarks.publish.numbers`.
"""
