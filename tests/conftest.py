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
    if metafunc.module.__name__ in NUMPY_ALONE or metafunc.definition.get_closest_marker("numpy_alone") is not None:
        names = [backends.NUMPY]
    elif metafunc.definition.get_closest_marker("needs_gpus") is not None:
        names.remove(backends.NUMPY)
    marks = {backends.GPU: [pytest.mark.gpu, pytest.mark.skipif(not _has_gpu(), reason="no CuPy or no GPU here")]}
    params = [pytest.param(name, marks=marks.get(name, ())) for name in names]
    metafunc.parametrize("backend", params, indirect=True, scope="module")


def _has_gpu() -> bool:
    return len(npnets.backend.available()) > 1


def pytest_runtest_call(item: pytest.Item) -> None:
    """Skip a test that needs more GPUs than there are."""
    marker = item.get_closest_marker("needs_gpus")
    if marker is not None and len(npnets.backend.available()) <= marker.args[0]:
        pytest.skip(f"needs {marker.args[0]} GPUs")


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
    """Fail a test that passed on the stand-in without computing anything there."""
    before = standin_cupy.counts.snapshot()
    answer = yield
    if backends.current == backends.STAND_IN and standin_cupy.counts.snapshot() == before:
        pytest.fail(
            "this test ran on the stand-in for CuPy and touched no array of it: bring its arrays over with "
            "backends.on_backend, or mark it numpy_alone and say why"
        )
    return answer
