"""Results of the stand-in for CuPy: values, dtypes, views, writing in place, counts, kernels in C++.

Expected values are NumPy's own, and for kernels computed by hand.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import scipy.special
import standin_cupy
from standin_cupy import counts, signatures

pytestmark = pytest.mark.numpy_alone(reason="installs the stand-in itself")

HOST = np.array([[-1.5, 0.0, 2.0], [0.25, 4.0, -3.0]], np.float32)
POSITIVE = np.abs(HOST) + np.float32(0.5)


@pytest.fixture
def cupy() -> Iterator[Any]:
    with standin_cupy.installed() as module:
        yield module


@pytest.fixture
def x(cupy: Any) -> Any:
    return cupy.asarray(HOST)


def check_same(result: Any, expected: Any) -> None:
    """Check the values, the dtype and the shape of a result of the stand-in."""
    assert type(result) is standin_cupy.cupy.ndarray
    assert (result.dtype, result.shape) == (np.asarray(expected).dtype, np.shape(expected))
    np.testing.assert_array_equal(result.get(), expected)


# -- values and dtypes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", signatures.UFUNCS)
def test_elementwise_functions_compute_the_same_as_numpys_by_both_names(cupy: Any, name: str) -> None:
    host = POSITIVE.astype(np.int32) if name.startswith(("bitwise", "invert")) else POSITIVE
    args = (host, host[0])[: signatures.UFUNCS[name]]
    expected = getattr(np, name)(*args)
    check_same(getattr(cupy, name)(*map(cupy.asarray, args)), expected)
    check_same(getattr(np, name)(*map(cupy.asarray, args)), expected)


FUNCTIONS = {
    "sum": ((), {"axis": 1, "keepdims": True}),
    "prod": ((0,), {}),
    "mean": ((), {}),
    "var": ((), {"ddof": 1}),
    "std": ((1,), {}),
    "max": ((0,), {}),
    "amin": ((), {}),
    "any": ((1,), {}),
    "all": ((), {}),
    "argmax": ((0,), {}),
    "argsort": ((), {"axis": 0}),
    "cumsum": ((1,), {}),
    "clip": ((-1, 1.5), {}),
    "repeat": ((2,), {"axis": 1}),
    "take": (([2, 0],), {"axis": 1}),
    "expand_dims": ((1,), {}),
    "moveaxis": ((0, 1), {}),
    "reshape": (((3, -1),), {}),
    "ravel": ((), {}),
    "swapaxes": ((0, 1), {}),
    "transpose": (((1, 0),), {}),
    "flip": ((0,), {}),
    "full_like": ((2, np.float64), {}),
    "ones_like": ((), {}),
}


@pytest.mark.parametrize(("name", "rest"), FUNCTIONS.items(), ids=FUNCTIONS)
def test_functions_compute_the_same_as_numpys_by_both_names(cupy: Any, x: Any, name: str, rest: Any) -> None:
    expected = getattr(np, name)(HOST, *rest[0], **rest[1])
    check_same(getattr(cupy, name)(x, *rest[0], **rest[1]), expected)
    check_same(getattr(np, name)(x, *rest[0], **rest[1]), expected)


def test_functions_of_two_arrays_and_of_lists_compute_the_same_as_numpys(cupy: Any, x: Any) -> None:
    check_same(x @ x.T, HOST @ HOST.T)
    check_same(np.vdot(x, x), np.vdot(HOST, HOST))
    check_same(cupy.outer(x[0], x[1]), np.outer(HOST[0], HOST[1]))
    check_same(np.concatenate([x, x[:1]], axis=0), np.concatenate([HOST, HOST[:1]]))
    check_same(np.stack((x, x), -1), np.stack((HOST, HOST), -1))
    check_same(cupy.asarray([x[0], x[1]]), HOST)
    check_same(cupy.array([[x[0], x[1]]]), HOST[None])
    with pytest.raises(TypeError, match="Implicit conversion"):
        cupy.array([x[0, 0], 1.0])
    check_same(np.where(x > 0, 0, x), np.where(HOST > 0, 0, HOST))
    check_same(cupy.linspace(0, 1, 3, dtype=np.float32), np.linspace(0, 1, 3, dtype=np.float32))
    check_same(x.argmax(axis=1, dtype=np.int32), HOST.argmax(axis=1).astype(np.int32))


def test_special_functions_compute_the_same_as_scipys(x: Any) -> None:
    import cupyx.scipy.special

    check_same(cupyx.scipy.special.erf(x), scipy.special.erf(HOST))
    check_same(cupyx.scipy.special.expit(x), scipy.special.expit(HOST))


def test_python_numbers_keep_float32_and_numpys_float64_does_not(x: Any) -> None:
    check_same(1 - x * 0.5, 1 - HOST * 0.5)
    assert ((x / 3).dtype, (x * np.float64(2)).dtype, (x.sum() + 1.5).dtype) == (np.float32, np.float64, np.float32)


def test_a_result_that_is_a_number_in_numpy_is_an_array_without_axes(x: Any) -> None:
    for result in (x.sum(), x[0, 0], x.argmax(), np.sqrt(x.max()), -x.mean()):
        assert type(result) is standin_cupy.cupy.ndarray and result.shape == ()
    with pytest.raises(TypeError, match="0-d"):
        iter(x.sum())
    with pytest.raises(TypeError, match="unsized"):
        len(x.sum())


def test_nothing_warns_of_division_or_overflow(x: Any) -> None:
    check_same(1 / x[0, 1:2], np.array([np.inf], np.float32))
    assert math.isinf(float(np.exp(x[1, 1] * 100))) and math.isnan(float(np.log(x[0, 0])))
    x[0, 0] = 1e300
    assert math.isinf(float(x[0, 0]))


# -- views and writing in place ---------------------------------------------------------------------------------------


def test_views_share_memory_and_name_their_owner_and_results_are_new(cupy: Any, x: Any) -> None:
    views = (x[0], x[..., None], x[:, 1:], x.T, x.reshape(3, 2), x.ravel(), x.swapaxes(0, 1), np.transpose(x), x.T[0])
    assert all(one.base is x for one in (*views, cupy.broadcast_to(x, (4, 2, 3)), x[0, 0], np.squeeze(x)))
    fresh = (x + 1, x.copy(), x.T.ravel(), x[[0]], x[x > 0], x.sum(), x.astype(np.float32), x.flatten(), x.repeat(1))
    assert all(one.base is None for one in fresh)
    assert x.astype(np.float32, copy=False) is x is cupy.asarray(x) and x[0].T.base is x
    x[0, 0] = 7
    assert float(views[3][0, 0]) == 7 and float(fresh[1][0, 0]) == -1.5


def test_a_broadcast_view_can_be_written_to_as_cupys_can(cupy: Any, x: Any) -> None:
    wide = cupy.broadcast_to(x[0], (2, 3))
    wide[1] = 9
    np.testing.assert_array_equal(x.get()[0], [9, 9, 9])


def test_results_are_in_c_order_whatever_the_order_of_the_arguments(x: Any) -> None:
    assert x.T.flags.f_contiguous and not x.T.flags.c_contiguous
    assert (x.T * 2).flags.c_contiguous and np.tanh(x.T).flags["C_CONTIGUOUS"]


def test_operators_in_place_write_into_the_arrays_own_memory_and_keep_its_dtype(cupy: Any, x: Any) -> None:
    row, total = x[0], cupy.asarray(HOST[0, 0])
    kept = total
    row *= 2
    total += np.float64(1)
    x -= cupy.ones(3, np.float64)
    check_same(x, np.stack([HOST[0] * 2, HOST[1]]) - np.float32(1))
    assert total is kept and kept.dtype == np.float32 and float(kept) == -0.5
    with pytest.raises(TypeError, match="same_kind"):
        cupy.arange(3).__iadd__(0.5)
    assert np.tanh(x, out=x) is x and cupy.sum(x, 0, out=row) is row


def test_indices_are_numbers_slices_lists_and_arrays_of_either_kind(cupy: Any, x: Any) -> None:
    columns = np.array([2, 0])
    for index in (columns, [2, 0], cupy.asarray(columns)):
        check_same(x[:, index], HOST[:, columns])
    check_same(x[x > 0], HOST[HOST > 0])
    check_same(x[:, []], HOST[:, []])
    x[x < 0] = 0
    x[:, [1]] = cupy.ones((2, 1), np.float64)
    check_same(x, np.array([[0, 1, 2], [0.25, 1, 0]], np.float32))
    with pytest.raises(IndexError):
        x[:, [3]]


def test_add_at_adds_twice_for_a_repeated_index(cupy: Any, x: Any) -> None:
    expected = HOST.copy()
    np.add.at(expected, (slice(None), [0, 0]), 1)
    cupy.add.at(x, (slice(None), np.array([0, 0])), 1)
    check_same(x, expected)
    with pytest.raises(TypeError, match="scatter_add only supports"):
        cupy.add.at(cupy.arange(3), [0], 1)
    with pytest.raises(NotImplementedError, match="multiply"):
        cupy.multiply.at(x, [0], 1)


# -- counts -----------------------------------------------------------------------------------------------------------


def test_launches_are_counted_by_name_and_views_launch_nothing(cupy: Any, x: Any) -> None:
    before = counts.snapshot()
    y = np.tanh(x.T.reshape(6)[:, None])
    y += 1
    y[0] = y[1]
    (y[[0]] @ cupy.asarray([2.0])).sum()
    made = counts.since(before)
    names = {"copy": 2, "tanh": 1, "add": 1, "take": 1, "matmul": 1, "sum": 1}
    assert (dict(made.by_name), made.launches, made.transfers) == (names, 7, 2)
    cupy.cuda.Stream.null.synchronize()
    x[x > 0]
    assert counts.since(before).synchronizations == 2  # the second one counts the true entries of a mask


# -- kernels in C++ ---------------------------------------------------------------------------------------------------


def test_a_kernel_runs_its_own_source_over_broadcast_arguments_in_one_launch(cupy: Any, x: Any) -> None:
    source = "z = chosen ? x * scale : T(0); doubled = 2 * n;"
    kernel = cupy.ElementwiseKernel("T x, T scale, bool chosen, int32 n", "T z, int32 doubled", source, "chosen_or_not")
    before = counts.snapshot()
    z, doubled = kernel(x.T, np.float64(0.5), (x > 0).T, 3)
    check_same(z, np.where(HOST > 0, HOST * np.float32(0.5), 0).T)
    check_same(doubled, np.full((3, 2), 6, np.int32))
    assert counts.since(before).by_name["chosen_or_not"] == 1


def test_functions_of_a_float_return_float_and_max_and_min_ignore_nan_as_in_cuda(cupy: Any) -> None:
    values = cupy.asarray(np.array([0.3, np.nan], np.float32))
    sizes = cupy.ElementwiseKernel(
        "T x", "int32 n", "n = sizeof(tanh(x)) + sizeof(abs(x)) + sizeof(max(x, x))", "sizes"
    )
    assert (sizes(values).tolist(), sizes(values.astype(np.float64)).tolist()) == ([12, 12], [24, 24])
    for source in ("y = max(x, T(0))", "y = max(T(0), x)", "y = -min(-x, T(0))", "y = -min(T(0), -x)"):
        check_same(cupy.ElementwiseKernel("T x", "T y", source, "top")(values), np.array([0.3, 0], np.float32))
    with pytest.raises(RuntimeError, match="ambiguous"):  # as it is for CUDA's overloads
        cupy.ElementwiseKernel("T x", "T y", "y = max(x, 0)", "mixed")(values)


def test_a_kernel_writes_into_given_outputs_also_views_and_its_own_inputs(cupy: Any, x: Any) -> None:
    kernel = cupy.ElementwiseKernel("T x, T y", "T z", "z = x + y", "plus")
    column = x[:, 1]
    assert kernel(column, 1, column) is column
    check_same(x, HOST + np.array([0, 1, 0], np.float32))
    with pytest.raises(ValueError, match="Out shape is mismatched"):
        kernel(x, x, cupy.zeros((1, 3), np.float32))
    before = counts.snapshot()
    check_same(kernel(cupy.empty((0, 3)), 1), np.zeros((0, 3)))
    assert counts.since(before).launches == 0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda k, x: k(x, x.astype(np.float64)), TypeError, "Type is mismatched"),
        (lambda k, x: k(x, 1, x.astype(np.float64)), TypeError, "Type is mismatched"),
        (lambda k, x: k(x), TypeError, "Wrong number of arguments"),
        (lambda k, x: k(1, 2), ValueError, "Loop size is undecided"),
        (lambda k, x: k(x, x[:, :2]), ValueError, "broadcast"),
    ],
)
def test_arguments_that_do_not_fit_a_kernel_are_an_error(cupy: Any, x: Any, call: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        call(cupy.ElementwiseKernel("T x, T y", "T z", "z = x + y", "plus"), x)


@pytest.mark.parametrize(("operation", "name"), [("x = z", "fine"), ("z = y", "fine"), ("z = x", "tanh")])
def test_an_input_assigned_to_an_unknown_name_and_the_name_of_a_c_function_do_not_compile(
    cupy: Any, x: Any, operation: str, name: str
) -> None:
    check_same(cupy.ElementwiseKernel("T x", "T z", "z = x", "fine")(x), HOST)
    with pytest.raises(RuntimeError, match="does not compile"):
        cupy.ElementwiseKernel("T x", "T z", operation, name)(x)


def test_without_a_compiler_the_error_says_what_to_install(x: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match=r"apt-get install g\+\+"):
        standin_cupy.cupy.ElementwiseKernel("T x", "T y", "y = x + T(3)", "uncompiled")(x)
