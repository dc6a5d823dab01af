"""The backends of the tests: NumPy, the stand-in for CuPy, and with `pytest -m gpu` a real GPU.

`conftest.py` runs every test once for each of them, except tests that are marked to be about NumPy alone. A test makes
its arrays with NumPy, moves them with `on_backend`, and compares results with the functions below, which also check
that the results are on the backend.
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
"""The backend of the running test; set by `conftest.py`."""


def device() -> str:
    """Return the device of the running test's arrays."""
    return "cpu" if current == NUMPY else "cuda:0"


def on_backend(x: Any) -> Any:
    """Return a tree with its arrays moved to the running test's backend."""
    return npnets.tree.to_device(x, device())


def as_numpy(x: Any) -> Any:
    """Return a tree of NumPy arrays, after a check that its arrays are on the running test's backend."""
    for leaf in npnets.tree.leaves(x):
        if hasattr(leaf, "dtype"):
            assert device_of(leaf) == device(), f"expected an array on {device()}, but this one is on {device_of(leaf)}"
    return npnets.tree.to_numpy(x)


def rounding(on_cpu: float, on_gpu: float) -> float:
    """Return a tolerance, larger on a real GPU, where sums have another order and functions round differently."""
    return on_gpu if current == GPU else on_cpu


def assert_allclose(actual: Any, desired: Any, rtol: float = 1e-7, atol: float = 0.0, err_msg: str = "") -> None:
    """Like NumPy's function; `actual` must be on the running test's backend, `desired` may be on any."""
    _assert_allclose(as_numpy(actual), npnets.tree.to_numpy(desired), rtol=rtol, atol=atol, err_msg=err_msg)


def assert_array_equal(actual: Any, desired: Any) -> None:
    """Like NumPy's function; `actual` must be on the running test's backend, `desired` may be on any."""
    _assert_array_equal(as_numpy(actual), npnets.tree.to_numpy(desired))


def bits(x: Any) -> list[bytes]:
    """Return the bytes of every leaf of a tree."""
    return [np.asarray(leaf).tobytes() for leaf in npnets.tree.leaves(as_numpy(x))]


@contextmanager
def on_numpy() -> Iterator[None]:
    """Compute on NumPy inside the block, for a comparison with the running test's backend."""
    global current
    before, current = current, NUMPY
    try:
        yield
    finally:
        current = before
