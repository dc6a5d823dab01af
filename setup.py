"""The one part of the metadata that is computed, the description that PyPI shows; all the rest is in setup.cfg.

PyPI knows nothing of the files beside the README, so that the README's relative links and pictures become absolute.
"""

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).resolve().parent


def description(readme: str, repository: str) -> str:
    """Return a Markdown page whose relative links and pictures lead to a repository."""
    links = re.compile(r"(\]\()(?!\w+:|#)([^)\s]+\))")
    pictures = re.compile(r"((?:src|srcset)=\")(?!\w+:)")
    return pictures.sub(rf"\1{repository}/raw/main/", links.sub(rf"\1{repository}/blob/main/\2", readme))


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
