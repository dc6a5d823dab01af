"""The instruction sets of the extension module: a test runs on each one that module and processor have.

    @each_instruction_set
    def test_a_law(instruction_set: str) -> None:
        with using(instruction_set): ...

Without the module such tests are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from npnets.kernels.compiled.native import choice, native

NAMES: list[str] = [] if native is None else native.available()
each_instruction_set = pytest.mark.parametrize("instruction_set", NAMES)


@contextmanager
def using(name: str) -> Iterator[None]:
    """Compute with an instruction set inside the block."""
    native.choose(name)
    try:
        yield
    finally:
        native.choose(choice.name)
