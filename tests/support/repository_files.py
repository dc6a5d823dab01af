"""Reading the files of the repository that are about the project."""

from __future__ import annotations

import configparser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def text_of(name: str) -> str:
    """Return a file's text, by its path from the root."""
    return (ROOT / name).read_text(encoding="utf-8")


def settings_of(name: str) -> configparser.ConfigParser:
    """Return the settings in `setup.cfg` or `tox.ini`."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text_of(name))
    return parser
