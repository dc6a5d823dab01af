"""Errors of the stand-in for CuPy that CuPy raises too: for NumPy arrays, other devices, unknown names."""

from __future__ import annotations

import copy
import pickle
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import standin_cupy
from standin_cupy import counts

pytestmark = pytest.mark.numpy_alone(reason="installs the stand-in itself")

HOST = np.array([[-1.5, 0.0, 2.0], [0.25, 4.0, -3.0]], np.float32)


@pytest.fixture
def cupy() -> Iterator[Any]:
    with standin_cupy.installed(devices=2) as module:
        yield module


@pytest.fixture
def x(cupy: Any) -> Any:
    return cupy.asarray(HOST)


def check_same(result: Any, expected: Any) -> None:
    """Check the values, the dtype and the shape of a result of the stand-in."""
    assert type(result) is standin_cupy.cupy.ndarray
    assert (result.dtype, result.shape) == (np.asarray(expected).dtype, np.shape(expected))
    np.testing.assert_array_equal(result.get(), expected)


# -- installing -------------------------------------------------------------------------------------------------------


def test_it_is_imported_as_cupy_while_it_is_installed_and_then_the_original_is_restored() -> None:
    before = {name: sys.modules.get(name) for name in ("cupy", "cupyx", "cupyx.scipy.special")}
    with standin_cupy.installed() as first:
        import cupy
        import cupyx.scipy.special

        assert cupy is first and cupy.cuda.Device and cupyx.scipy.special.erf
        with standin_cupy.installed(devices=1) as second:
            assert second is first and cupy.cuda.runtime.getDeviceCount() == 1
        assert cupy.cuda.runtime.getDeviceCount() == 2
    assert {name: sys.modules.get(name) for name in before} == before
    assert standin_cupy.cupy not in sys.modules.values()


def test_a_module_hidden_by_it_is_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = type(sys)("cupy")
    monkeypatch.setitem(sys.modules, "cupy", mine)
    with standin_cupy.installed():
        assert sys.modules["cupy"] is not mine
    assert sys.modules["cupy"] is mine


@pytest.mark.parametrize(("status", "words"), [(35, "driver version is insufficient"), (100, "no CUDA-capable device")])
def test_a_machine_can_be_made_to_raise_an_error_of_cuda(status: int, words: str) -> None:
    with standin_cupy.installed(failure=status, driver=12040) as cupy:
        for ask in (cupy.cuda.runtime.getDeviceCount, cupy.cuda.Device, lambda: cupy.zeros(3)):
            with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match=words) as caught:
                ask()
            assert caught.value.status == status
        assert not cupy.cuda.is_available()
        assert (cupy.cuda.runtime.driverGetVersion(), cupy.cuda.runtime.runtimeGetVersion()) == (12040, 13000)


def test_a_machine_without_devices_counts_none_and_makes_no_arrays() -> None:
    with standin_cupy.installed(devices=0) as cupy:
        assert cupy.cuda.runtime.getDeviceCount() == 0
        with pytest.raises(RuntimeError, match="no CUDA-capable device"):
            cupy.asarray(HOST)


# -- arrays are no NumPy arrays ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "convert", [np.asarray, lambda x: np.array([x]), lambda x: np.float32(1) + np.asarray(x), lambda x: HOST.dot(x)]
)
def test_an_array_is_not_converted_to_numpy_implicitly(x: Any, convert: Any) -> None:
    with pytest.raises(TypeError, match="Implicit conversion to a NumPy array is not allowed"):
        convert(x)


MIXED = {
    "x + h": lambda cp, x: x + HOST,
    "h + x": lambda cp, x: HOST + x,
    "x @ h": lambda cp, x: x @ HOST.T,
    "h @ x": lambda cp, x: HOST.T @ x,
    "x > h": lambda cp, x: x > HOST,
    "x += h": lambda cp, x: x.__iadd__(HOST),
    "h += x": lambda cp, x: HOST.copy().__iadd__(x),
    "x[0] = h": lambda cp, x: x.__setitem__(0, HOST[0]),
    "x[:] = h": lambda cp, x: x.__setitem__(slice(None), HOST),
    "np.maximum": lambda cp, x: np.maximum(x, HOST),
    "np.where": lambda cp, x: np.where(x > 0, x, HOST),
    "where": lambda cp, x: cp.where(HOST > 0, x, x),
    "clip": lambda cp, x: cp.clip(x, HOST, None),
    "np.concatenate": lambda cp, x: np.concatenate([x, HOST]),
    "sum": lambda cp, x: cp.sum(HOST),
    "vdot": lambda cp, x: np.vdot(x, HOST),
    "zeros_like": lambda cp, x: cp.zeros_like(HOST),
    "out": lambda cp, x: cp.tanh(x, out=HOST.copy()),
    "np out": lambda cp, x: np.tanh(x, out=HOST.copy()),
    "h out": lambda cp, x: np.tanh(HOST, out=x),
    "sum out": lambda cp, x: cp.sum(x, out=np.zeros((), np.float32)),
    "add.at": lambda cp, x: cp.add.at(x, 0, HOST[0]),
    "kernel": lambda cp, x: cp.ElementwiseKernel("T x, T y", "T z", "z = x")(x, HOST),
}


@pytest.mark.parametrize("mix", MIXED.values(), ids=MIXED)
def test_numpy_arrays_among_its_own_arrays_are_an_error(cupy: Any, x: Any, mix: Any) -> None:
    with pytest.raises(TypeError):
        mix(cupy, x)
    np.testing.assert_array_equal(x.get(), HOST)


def test_a_numpy_array_without_axes_can_be_compared_but_not_computed_with(x: Any) -> None:
    check_same(x > np.array(0.0), HOST > 0)
    with pytest.raises(TypeError, match=r"Unsupported type <class 'numpy.ndarray'>"):
        x + np.array(0.0)


def test_explicit_copies_to_the_host_work_and_are_counted(x: Any) -> None:
    before = counts.snapshot()
    assert (float(x[0, 2]), int(x[1, 1]), bool(x[0, 1]), x[1, 0].item()) == (2.0, 4, False, 0.25)
    assert x.tolist() == HOST.tolist() and repr(x) == repr(HOST)
    taken = x.get()
    taken[:] = 0
    np.testing.assert_array_equal(x.get(), HOST)
    made = counts.since(before)
    assert (made.launches, made.transfers, made.synchronizations) == (0, 8, 8)


def test_pickles_and_copies_are_independent_arrays(cupy: Any, x: Any) -> None:
    with cupy.cuda.Device(1):
        there = x.copy()
    for other in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x)):
        check_same(other, HOST)
        other.fill(0)
    assert (there.device.id, copy.deepcopy(there).device.id, copy.copy(there).device.id) == (1, 1, 0)
    np.testing.assert_array_equal(x.get(), HOST)


def test_it_has_only_the_listed_names_and_keywords(cupy: Any, x: Any) -> None:
    for owner, name in ((cupy, "fuse"), (cupy, "errstate"), (x, "ptp"), (x, "mask")):
        with pytest.raises(AttributeError, match=name):
            getattr(owner, name)
    with pytest.raises(AttributeError):
        x.note = 1
    for call in (
        lambda: cupy.sum(x, where=x > 0),
        lambda: cupy.add(x, 1, where=x > 0),
        lambda: x.std(mean=0),
        lambda: np.sum(x, initial=1),
        lambda: cupy.ElementwiseKernel("T x", "T y", "y = x", grid=1),
    ):
        with pytest.raises(TypeError, match="unexpected keyword"):
            call()
    with pytest.raises(TypeError, match="no implementation found"):
        np.median(x)
    with pytest.raises(TypeError):
        np.add.reduce(x)


# -- whose operator is called ------------------------------------------------------------------------------------------


class Foreign:
    """A class with reflected operators; its subclasses decide in one way or another whose operator is called."""

    def __radd__(self, other: Any) -> str:
        return "mine"

    __rmatmul__ = __rmul__ = __lt__ = __radd__


class OptedOut(Foreign):
    __array_ufunc__ = None


class HigherPriority(Foreign):
    __array_priority__ = 101


class EqualPriority(Foreign):
    __array_priority__ = 100


class Overriding(Foreign):
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> str:
        return f"override of {ufunc.__name__}"


def test_a_foreign_operand_computes_if_it_opts_out_or_has_a_higher_priority(x: Any) -> None:
    for kind in (OptedOut, HigherPriority):
        assert x + kind() == x @ kind() == x * kind() == (x > kind()) == "mine"
    for kind in (Foreign, EqualPriority):
        with pytest.raises(TypeError):
            x + kind()


class Array(Foreign):
    """An array of another library, which does not implement NumPy's functions."""

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return NotImplemented


def test_a_function_of_numpy_with_an_array_of_a_third_library_is_an_error(x: Any) -> None:
    with pytest.raises(TypeError, match="no implementation found"):
        np.concatenate([x, Array()])


def test_numpys_override_protocol_decides_for_other_operators_but_not_for_matmul(x: Any) -> None:
    assert (x * Overriding(), x > Overriding(), x ** Overriding()) == (
        "override of multiply",
        "override of greater",
        "override of power",
    )
    with pytest.raises(TypeError):
        x @ Overriding()
    for kind in (Overriding, OptedOut):
        with pytest.raises(TypeError, match="Unsupported type"):
            x += kind()


# -- devices ----------------------------------------------------------------------------------------------------------


def test_arrays_are_made_on_the_current_device_which_nests(cupy: Any, x: Any) -> None:
    with cupy.cuda.Device(1) as outer:
        there = cupy.ones(3)
        with cupy.cuda.Device(0):
            assert cupy.zeros(1).device.id == 0
        assert (cupy.arange(3).device, there.T.device, cupy.cuda.Device().id) == (outer, outer, 1)
        assert cupy.zeros_like(x).device.id == 1  # of the current device, not of its prototype's
    assert cupy.cuda.Device().id == 0
    with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="invalid device ordinal"):
        cupy.cuda.Device(2).use()


def test_every_thread_begins_on_the_first_device(cupy: Any) -> None:
    found = []
    with cupy.cuda.Device(1):
        thread = threading.Thread(target=lambda: found.append(cupy.cuda.Device().id))
        thread.start()
        thread.join()
        assert (found, cupy.cuda.Device().id) == ([0], 1)


ELSEWHERE = {
    "operator": lambda cp, x, y: x + y,
    "scalar": lambda cp, x, y: y * 2,
    "in place": lambda cp, x, y: y.__iadd__(1),
    "reduction": lambda cp, x, y: y.sum(),
    "matmul": lambda cp, x, y: x @ y.T,
    "np": lambda cp, x, y: np.tanh(y),
    "index": lambda cp, x, y: y[[0]],
    "index with": lambda cp, x, y: x[y],
    "assigned": lambda cp, x, y: x.__setitem__(0, y[0]),
    "assigned to": lambda cp, x, y: y.__setitem__(0, 1),
    "concatenate": lambda cp, x, y: cp.concatenate([x, y]),
    "where": lambda cp, x, y: np.where(x > 0, x, y),
    "astype": lambda cp, x, y: y.astype(np.float64),
    "kernel": lambda cp, x, y: cp.ElementwiseKernel("T x", "T z", "z = x")(y),
    "out": lambda cp, x, y: cp.tanh(x, out=y),
}


@pytest.mark.parametrize("work", ELSEWHERE.values(), ids=ELSEWHERE)
def test_no_kernel_touches_an_array_of_another_device(cupy: Any, x: Any, work: Any) -> None:
    with cupy.cuda.Device(1):
        there = cupy.asarray(HOST)
    with pytest.raises(ValueError, match=r"resides \(1\) is different from the current device \(0\)"):
        work(cupy, x, there)


def test_an_array_is_viewed_fetched_and_copied_from_any_device(cupy: Any) -> None:
    with cupy.cuda.Device(1):
        there = cupy.asarray(HOST)
        assert cupy.asarray(there) is there
    np.testing.assert_array_equal(there.T[0].get(), HOST.T[0])
    for here in (cupy.asarray(there), cupy.array(there), there.copy()):
        assert here.device.id == 0
        check_same(here, HOST)
