"""Where the suite's arrays lie: on NumPy, on the stand-in for CuPy, and with `pytest -m gpu` on a real GPU.

`conftest.py` runs every test once for each of them, but for the modules and tests that it knows to be about NumPy
alone. A test makes its arrays with NumPy, brings them over with `on_backend`, and compares with the functions below,
which look first whether what was computed lies where it should: nothing may have slipped back to NumPy on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.testing import assert_allclose as _assert_allclose
from numpy.testing import assert_array_equal as _assert_array_equal

import npnets
from npnets.backend import device_of

NUMPY, STAND_IN, GPU = "numpy", "stand-in", "gpu"

current = NUMPY
"""Which of the three the running test is on; set by `conftest.py`."""


def device() -> str:
    """Return the device that the running test's arrays lie on."""
    return "cpu" if current == NUMPY else "cuda:0"


def on_backend(x: Any) -> Any:
    """Return a tree with its arrays brought to where the running test's arrays lie."""
    return npnets.tree.to_device(x, device())


def as_numpy(x: Any) -> Any:
    """Return a tree as NumPy's, once its arrays are seen to lie where the running test's arrays lie."""
    for leaf in npnets.tree.leaves(x):
        if hasattr(leaf, "dtype"):
            assert device_of(leaf) == device(), f"expected an array on {device()}, but this one is on {device_of(leaf)}"
    return npnets.tree.to_numpy(x)


def rounding(on_cpu: float, on_gpu: float) -> float:
    """Return a tolerance: on a real GPU sums are taken in another order, and functions round otherwise."""
    return on_gpu if current == GPU else on_cpu


def assert_allclose(actual: Any, desired: Any, rtol: float = 1e-7, atol: float = 0.0, err_msg: str = "") -> None:
    """As NumPy's; `actual` must lie where the running test's arrays lie, `desired` anywhere."""
    _assert_allclose(as_numpy(actual), npnets.tree.to_numpy(desired), rtol=rtol, atol=atol, err_msg=err_msg)


def assert_array_equal(actual: Any, desired: Any) -> None:
    """As NumPy's; `actual` must lie where the running test's arrays lie, `desired` anywhere."""
    _assert_array_equal(as_numpy(actual), npnets.tree.to_numpy(desired))


def bits(x: Any) -> list[bytes]:
    """Return the bytes of every leaf of a tree."""
    return [np.asarray(leaf).tobytes() for leaf in npnets.tree.leaves(as_numpy(x))]


@contextmanager
def on_numpy() -> Iterator[None]:
    """Let what is done inside make its arrays on NumPy, to hold the running test's backend against."""
    global current
    before, current = current, NUMPY
    try:
        yield
    finally:
        current = before
