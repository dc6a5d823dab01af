"""A count of the names that are compared while an error looks for the nearest one."""

from __future__ import annotations

import difflib
from typing import Any

import pytest


class CountsComparisons:
    """Counts how many names are compared with another."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number, found = 0, difflib.get_close_matches

        def counted(word: str, possibilities: Any, *args: Any, **options: Any) -> Any:
            self.number += len(possibilities)
            return found(word, possibilities, *args, **options)

        monkeypatch.setattr(difflib, "get_close_matches", counted)
