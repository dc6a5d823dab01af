"""The real CuPy accepts every call of the library, up to the point at which a GPU would have to work.

`reach_cuda.py` makes the calls, with arrays of the real package over the host's memory.
"""

from __future__ import annotations

import pytest
from kernel_cases import CASES as KERNELS
from network_cases import CASES
from numpy_cases import TABLE
from real_cupy import result_of

pytestmark = pytest.mark.numpy_alone("calls the real CuPy in a process of its own")

REACHED = ("returned", "reached CUDA")


@pytest.fixture(scope="module")
def endings() -> dict[str, str]:
    """Return how each call ended."""
    return result_of("reach_cuda.py")  # type: ignore[no-any-return]


def test_the_real_cupy_accepts_every_call(endings: dict[str, str]) -> None:
    assert len(endings) == 2 * len(TABLE) + len(KERNELS) + len(CASES) + 1
    refused = {name: ending for name, ending in endings.items() if ending not in REACHED}
    assert refused.pop("a misspelt keyword").startswith("TypeError")
    assert refused == {}


def test_views_of_arrays_launch_nothing(endings: dict[str, str]) -> None:
    returned = {name.split("-")[0] for name, ending in endings.items() if ending == "returned"}
    assert {"reshape", "transpose", "traced reshape", "traced swapaxes"} <= returned
    launching = {name for name in returned if any(word in name for word in ("exp", "sum", "add", "where"))}
    views = {"expand_dims", "einsum"}  # of one operand, with its axes in another order
    assert launching <= views | {f"traced {name}" for name in views}
