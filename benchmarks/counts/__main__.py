"""Count the instructions and the Python calls of a dozen calls, and compare them with those of `counts.json`.

    python -m benchmarks.counts                      # prints the counts
    python -m benchmarks.counts --check              # fails if one is more than 5 % above the held one
    python -m benchmarks.counts --check --base main  # compares instructions with those of a commit, counted here too
    python -m benchmarks.counts --update 'reason'    # holds them; the reason is that of the counts that rose

Python calls repeat exactly wherever Python is 3.11 or newer. Instructions, which need Valgrind and kernels for AVX2,
depend on the versions of Python, NumPy, the compiler and others: they are compared only with counts of the same ones,
or with those of a commit. A rise over a commit is accepted if `counts.json` has a reason for it that the commit lacks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from benchmarks.counts import base, held, measure
from benchmarks.counts.held import Held

Counts = dict[str, int]

UPDATE = "python -m benchmarks.counts --update"


def python_calls() -> Iterator[tuple[str, Counts]]:
    """Yield the kinds of kernels of this installation, and the Python calls of every call with them."""
    yield "NumPy", measure.python_calls("off")[1]
    kernels, counts = measure.python_calls("")
    if kernels != "off":
        yield "compiled", counts


def unable() -> str:
    """Return why this machine cannot count instructions; nothing if it can."""
    if not measure.has_valgrind():
        return "valgrind is not installed"
    return "" if measure.has_avx2() else "this installation has no compiled kernels for AVX2"


def show(title: str, counts: Counts, before: Held) -> None:
    """Print a table of counts and of the held ones."""
    print(f"\n{title}")
    for name, count in counts.items():
        old = before.get(name)
        over = f"{old['count']:>14,}{count / old['count']:>8.3f}  {old.get('reason', '')}".rstrip() if old else ""
        print(f"{name:<40}{count:>14,}{over}", flush=True)


def compare(title: str, counts: Counts, before: Held) -> bool:
    """Print counts; say which rose and which fell; return whether none rose."""
    show(title, counts, before)
    lines = held.risen(before, counts)
    if lines:
        print(f"error: {title} rose:", *lines, f"if that is meant: {UPDATE} 'REASON'", sep="\n  ", file=sys.stderr)
    if names := held.fallen(before, counts):
        print(f"lower than held: {', '.join(names)}; hold the gain: {UPDATE}")
    return not lines


def check(commit: str) -> bool:
    """Compare all counts with the held ones, or the instructions with those of a commit; return whether none rose."""
    there, same = held.read(), True
    if sys.version_info < (3, 11):
        print("skipped: Python 3.10 runs other functions than newer releases")
        return True
    for kernels, counts in python_calls():
        same = compare(f"Python calls, {kernels} kernels", counts, there["python_calls"].get(kernels, {})) and same
    if why := unable():
        print(f"\ninstructions: skipped, because {why}")
        return same
    if commit:
        return check_against(commit) and same
    before = held.entry(there, measure.versions())
    if before is not None:
        return compare("instructions, AVX2 kernels", measure.instructions("avx2"), before) and same
    print(f"\ninstructions: skipped, because none are held for {held.differing(there, measure.versions())}")
    return same


def check_against(commit: str) -> bool:
    """Compare the instructions with those of a commit; a call with a new reason may have more."""
    before, old = base.instructions(commit)
    if not before:
        print(f"\ninstructions: skipped, because {commit} has no {held.FILE.name}")
        return True
    counts, explained = measure.instructions("avx2"), dict(base.reasons(held.read()) - old)
    for name in explained.keys() & counts.keys():
        print(f"{name} may have more: {explained[name]}")
    known = {name: count for name, count in counts.items() if name in before and name not in explained}
    return compare(f"instructions since {commit}", known, before)


def update(reason: str) -> None:
    """Hold all counts of this machine."""
    there = held.read()
    for kernels, counts in python_calls():
        there["python_calls"][kernels] = held.updated(there["python_calls"].get(kernels, {}), counts, reason)
    if why := unable():
        print(f"instructions: left as they are, because {why}")
    else:
        versions = measure.versions()
        others = [one for one in there["instructions"] if one["versions"] != versions]
        calls = held.updated(held.entry(there, versions) or {}, measure.instructions("avx2"), reason)
        there["instructions"] = [*others, {"versions": versions, "calls": calls}]
    held.write(there)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counts", description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="fail if a count is more than 5 %% above the held one")
    what.add_argument("--update", nargs="?", const="", metavar="REASON", help="hold the counts, and why they rose")
    parser.add_argument("--base", default="", metavar="COMMIT", help="compare instructions with those of a commit")
    options = parser.parse_args()
    if options.update is not None:
        try:
            update(options.update)
        except held.Unexplained as rise:
            sys.exit(f"error: these counts rise, and need a reason ({UPDATE} 'REASON'):\n{rise}")
    elif not check(options.base.strip("0") and options.base) and options.check:  # zeros: GitHub knows no commit before
        sys.exit(1)


if __name__ == "__main__":
    main()
