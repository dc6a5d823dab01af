"""Settings of the whole suite: the same examples of hypothesis in every run, and the backends that tests run on.

By hand a test runs on NumPy; `--backend` chooses the stand-in for CuPy, a real GPU (as `-m gpu` does) or all, which is
how continuous integration runs. A test that is marked `numpy_alone` runs on NumPy only. On the stand-in a test that
passes without using it fails nevertheless: a new test either runs on the second backend or says why it does not.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import backends
import pytest
import readable_ids
import standin_cupy
from hypothesis import settings

import npnets

# The checkout, where the packages `examples` and `benchmarks` are, comes last: an installed npnets is tested first.
sys.path.append(str(Path(__file__).resolve().parents[1]))

settings.register_profile("npnets", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("npnets")

ALL = "all"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of a backend."""
    parser.addoption(
        "--backend",
        choices=(backends.NUMPY, backends.STAND_IN, backends.GPU, ALL),
        help="the arrays that tests run on: numpy (the default), stand-in for CuPy, gpu (also chosen by -m gpu), "
        "or all, without gpu if CuPy is not installed",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Keep the compiled kernels of the stand-in for every worker and the next run, if pytest has a cache."""
    if cache := getattr(config, "cache", None):
        standin_cupy.host_compiler.folder = cache.mkdir("standin_cupy")


def pytest_report_header(config: pytest.Config) -> str:
    """Report which tests are not run."""
    return f"backend: {', '.join(_chosen(config))} (choose with --backend numpy, stand-in, gpu or all)"


def _chosen(config: pytest.Config) -> tuple[str, ...]:
    choice = config.getoption("backend")
    if choice == ALL:
        gpu = (backends.GPU,) if importlib.util.find_spec("cupy") else ()
        return (backends.NUMPY, backends.STAND_IN, *gpu)
    on_gpu = re.search(r"(?<!not )\bgpu\b", str(config.getoption("markexpr")))
    return (choice or (backends.GPU if on_gpu else backends.NUMPY),)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each chosen backend that it concerns; mark it for deselection on another."""
    about = [backends.NUMPY, backends.STAND_IN, backends.GPU]
    if metafunc.definition.get_closest_marker("numpy_alone") is not None:
        about = [backends.NUMPY]
    elif metafunc.definition.get_closest_marker("needs_gpus") is not None:
        about.remove(backends.NUMPY)
    names = [name for name in about if name in _chosen(metafunc.config)] or about[:1]
    params = [pytest.param(name, marks=[pytest.mark.gpu] if name == backends.GPU else []) for name in names]
    metafunc.parametrize("backend", params, indirect=True, scope="module")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that concern no chosen backend."""
    chosen = _chosen(config)
    left_out = [item for item in items if _backend_of(item) not in chosen]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _backend_of(item) in chosen]


def pytest_make_parametrize_id(val: Any) -> str | None:
    """Name a parameter as it is written."""
    return readable_ids.written(val)


def _backend_of(item: pytest.Item) -> str:
    return str(item.callspec.params["backend"])  # type: ignore[attr-defined]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs a package which is not installed, unless the environment requires those packages."""
    for name in [marker.args[0] for marker in item.iter_markers("needs_package")]:
        if importlib.util.find_spec(name) is None and not os.environ.get("NPNETS_REQUIRE_PACKAGES"):
            pytest.skip(f"needs {name}, which `tox run -e parallel` installs")


def pytest_runtest_call(item: pytest.Item) -> None:
    """Skip a test that needs more GPUs than there are; the real CuPy is imported only for tests on a real GPU."""
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
    """Fail a test that passed on the stand-in without using it."""
    before = standin_cupy.counts.snapshot()
    result = yield
    if backends.current == backends.STAND_IN and standin_cupy.counts.snapshot() == before:
        pytest.fail(
            "this test ran on the stand-in for CuPy and used no array of it: move its arrays with "
            "backends.on_backend, or mark it numpy_alone with the reason"
        )
    return result
