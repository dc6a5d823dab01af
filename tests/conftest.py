"""Settings of the whole suite: the same examples of hypothesis in every run, and every test on every backend.

A test runs on NumPy and on the stand-in for CuPy, and with `pytest -m gpu` on a real GPU instead, unless its module is
in `NUMPY_ALONE` or it is marked `numpy_alone`. On the stand-in a test that passes without touching it fails all the
same: new tests are made to run on the second backend, or to say why they do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import backends
import pytest
import standin_cupy
from hypothesis import settings

import npnets

settings.register_profile("npnets", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("npnets")

NUMPY_ALONE = {
    "test_bad_descriptions": "descriptions hold no arrays",
    "test_cuda_sources": "compiles sources, and runs none",
    "test_damaged_files": "reads files, which hold NumPy's arrays",
    "test_learning_side_by_side": "compares on the CPU, and reads what came of it",
    "test_readme": "runs what a page says",
    "test_structure": "reads the source",
    "test_tianshou_signatures": "reads signatures and warnings",
    "test_transitions": "reads files, which hold NumPy's arrays",
}
"""Modules that are about no arrays, or about NumPy's own."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each backend that it is about."""
    names = [backends.NUMPY, backends.STAND_IN]
    if "gpu" in str(metafunc.config.getoption("markexpr")):
        names.append(backends.GPU)
    test = metafunc.definition
    if test.path.stem in NUMPY_ALONE or test.get_closest_marker("numpy_alone") is not None:
        names = [backends.NUMPY]
    elif test.get_closest_marker("needs_gpus") is not None:
        names.remove(backends.NUMPY)
    params = [pytest.param(name, marks=[pytest.mark.gpu] if name == backends.GPU else []) for name in names]
    metafunc.parametrize("backend", params, indirect=True, scope="module")


def pytest_runtest_call(item: pytest.Item) -> None:
    """Skip a test that needs more GPUs than there are; only for tests on a real GPU the real CuPy is imported."""
    needed = max([marker.args[0] for marker in item.iter_markers("needs_gpus")], default=0)
    needed = max(needed, 1) if backends.current == backends.GPU else needed
    if backends.current != backends.NUMPY and len(npnets.backend.available()) <= needed:
        pytest.skip(f"needs CuPy and {needed} GPU{'s' * (needed > 1)}")


@pytest.fixture(scope="module", autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """The backend that a test runs on: `numpy`, `stand-in` or `gpu`."""
    backends.current = request.param
    if request.param == backends.STAND_IN:
        with standin_cupy.installed():
            yield request.param
    else:
        yield request.param
    backends.current = backends.NUMPY


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[Any]:
    """Fail a test that passed on the stand-in without touching it."""
    before = standin_cupy.counts.snapshot()
    answer = yield
    if backends.current == backends.STAND_IN and standin_cupy.counts.snapshot() == before:
        pytest.fail(
            "this test ran on the stand-in for CuPy and touched no array of it: bring its arrays over with "
            "backends.on_backend, or mark it numpy_alone and say why"
        )
    return answer
