"""Write every published number, table and figure from the result files, or check that they agree."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import ROOT
from benchmarks.publish.figures import draw_outdated, outdated, strays
from benchmarks.publish.pages import pages
from benchmarks.publish.records import Records
from examples.shared.results_folder import write

REMEDY = "run python -m benchmarks.publish"


def outdated_pages(records: Records) -> dict[Path, str]:
    """Return the pages that disagree with their result files, and their correct text."""
    new = pages(records)
    return {path: text for path, text in new.items() if not path.exists() or path.read_text("utf-8") != text}


def disagreeing(records: Records) -> list[str]:
    """Return the files that disagree with their result files."""
    return [str(path.relative_to(ROOT)) for path in [*outdated_pages(records), *outdated()]]


def publish(records: Records) -> None:
    """Write the files that differ."""
    for path, text in outdated_pages(records).items():
        write(path, lambda unfinished, text=text: unfinished.write_text(text, encoding="utf-8"))  # type: ignore[misc]
    draw_outdated()


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.publish", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page and its results disagree")
    options = parser.parse_args()
    records = Records()
    try:
        if not options.check:
            publish(records)
        elif wrong := disagreeing(records):
            sys.exit(f"error: {', '.join(wrong)} disagree with docs/results; {REMEDY}")
        if unused := records.unused():
            sys.exit(f"error: no page uses {', '.join(unused)} in docs/results; publish or delete them")
        if extra := strays():
            names = ", ".join(str(path.relative_to(ROOT)) for path in extra)
            sys.exit(f"error: no code draws {names}; delete files that no page shows")
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
