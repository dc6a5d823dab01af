"""The one part of the metadata that is computed, the description that PyPI shows; all the rest is in setup.cfg.

PyPI knows nothing of the files beside the README, so that the README's relative links and pictures become absolute.
"""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent


CODE = r"^ {0,3}(?P<fence>```+|~~~+).*?^ {0,3}(?P=fence)|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\n).)+?(?<!`)(?P=ticks)(?!`)"
LINK = r"(?P<link>!?\[[^\[\]]*\]\(|\]\(|^ {0,3}\[(?!\^)[^\]]+\]:[ \t]*)[^\s)]*"
ATTRIBUTE = r"(?P<attribute>\b(?:srcset|src|href)=[\"'])[^\"']*"
PLACES = re.compile(f"{CODE}|{LINK}|{ATTRIBUTE}", re.M | re.S)
RELATIVE = re.compile(r"(^|,\s+)(?![a-z][\w+.-]*:|//|#|<|$)", re.I)
"""What no scheme, host or fragment begins, at the start of a place or behind a comma of `srcset`."""


def description(readme: str, repository: str) -> str:
    """Return a Markdown page whose relative links and pictures lead to a repository, and whose code is as it was."""

    def absolute(found: re.Match[str]) -> str:
        before = found["link"] or found["attribute"]
        if not before:
            return found[0]
        folder = "raw" if before.startswith(("!", "src")) else "blob"
        return before + RELATIVE.sub(rf"\g<1>{repository}/{folder}/main/", found[0][len(before) :])

    return PLACES.sub(absolute, readme)


def repository() -> str:
    """Return the address that setup.cfg gives."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    urls = dict(line.split(" = ") for line in settings["metadata"]["project_urls"].strip().splitlines())
    return urls["Repository"]


if __name__ == "__main__":
    setup(
        long_description=description((ROOT / "README.md").read_text(encoding="utf-8"), repository()),
        long_description_content_type="text/markdown",
    )
