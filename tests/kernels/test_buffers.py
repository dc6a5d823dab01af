"""A buffer is never used again while anything references it, and is used again once nothing does."""

from __future__ import annotations

import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backends import assert_allclose, bits, on_backend

import npnets
import npnets.numpy as nnp
from npnets.kernels import buffers
from npnets.kernels.buffers import LEAST_BYTES, scratch
from npnets.kernels.lstm import lstm
from npnets.kernels.products import outer, product

LIKE = np.zeros(1, np.float32)
LARGE = (LEAST_BYTES // 4,)
numpy_alone = pytest.mark.numpy_alone("about NumPy's memory: CuPy has a pool of its own")


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread with an empty pool."""
    monkeypatch.setattr(buffers, "_of_thread", threading.local())
    monkeypatch.setattr(buffers, "_slots", weakref.WeakValueDictionary())


def _place(array: Any) -> int:
    return array.__array_interface__["data"][0]


@numpy_alone
def test_an_array_without_references_is_used_again() -> None:
    first = _place(scratch(LIKE, LARGE))
    assert _place(scratch(LIKE, LARGE)) == first


@numpy_alone
@pytest.mark.parametrize("view", [lambda a: a, lambda a: a[:1], lambda a: a.reshape(2, -1).T[1:][0], memoryview])
def test_an_array_is_not_used_again_while_it_or_a_view_of_it_is_referenced(view: Any) -> None:
    held = view(scratch(LIKE, LARGE))
    second = scratch(LIKE, LARGE)
    assert not np.shares_memory(np.asarray(held), second)
    del held
    third = scratch(LIKE, LARGE)
    assert not np.shares_memory(second, third)


@numpy_alone
def test_buffers_have_the_given_shape_and_dtype_and_share_no_memory() -> None:
    for shape, dtype in (((300, 200), "f"), ((200, 300), "f"), ((300, 200), "d"), ((3,), "d"), ((), "f")):
        one, two = (scratch(np.zeros(1, dtype), shape) for _ in range(2))
        assert (one.shape, one.dtype, one.flags.c_contiguous) == (shape, np.dtype(dtype), True)
        assert not np.shares_memory(one, two)


@numpy_alone
def test_a_pool_stays_below_the_limit_and_drops_the_oldest_arrays_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "_limit", 3 * LEAST_BYTES)
    for extra in range(5):
        scratch(LIKE, (LARGE[0] + extra,))
    kept = [array.nbytes for arrays in buffers._of_thread.slot["pool"].values() for array in arrays]
    assert sum(kept) <= 3 * LEAST_BYTES
    assert [shape[0] for shape, _ in buffers._of_thread.slot["pool"]] == [LARGE[0] + 3, LARGE[0] + 4]
    scratch(LIKE, (4 * LARGE[0],))
    assert len(buffers._of_thread.slot["pool"]) == 2


@numpy_alone
def test_a_pool_holds_a_limited_number_of_arrays_of_one_shape() -> None:
    held = [scratch(LIKE, LARGE) for _ in range(40)]
    assert len({_place(array) for array in held}) == 40
    ((kept,),) = [buffers._of_thread.slot["pool"].values()]
    assert len(kept) == 1 + buffers.MOST_PER_SHAPE


@numpy_alone
def test_under_a_debugger_that_reads_every_variable_no_referenced_array_is_used_again(tmp_path: Path) -> None:
    code = """
import sys
import numpy as np
from npnets.kernels.buffers import scratch
def look(frame, event, argument):
    frame.f_locals
    return look
sys.settrace(look)
like = np.zeros(1)
def places(): return [scratch(like, (100, 100)) for _ in range(3)]
traced = places()
sys.settrace(None)
later = places()
assert len({a.__array_interface__['data'][0] for a in traced + later}) == 6
"""
    # Not in a checkout, whose sources may lie beside no extension module.
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, cwd=tmp_path)


@numpy_alone
def test_each_thread_has_a_pool_of_its_own() -> None:
    here = scratch(LIKE, LARGE)
    del here
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(scratch, LIKE, LARGE).result()
    assert not np.shares_memory(there, scratch(LIKE, LARGE))


def _problem() -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    steps, batch, inputs, hidden = 20, 40, 7, 64
    shapes = ((steps, batch, inputs), (inputs, 4 * hidden), (hidden, 4 * hidden), (4 * hidden,), (4 * hidden,))
    drawn = [rng.normal(size=shape).astype("f") for shape in (*shapes, (batch, hidden), (batch, hidden))]
    return tuple(on_backend(drawn))


@pytest.mark.parametrize("masks", [(False, False), (True, False), (False, True), (True, True)])
def test_later_calls_change_neither_outputs_nor_gradients_nor_pullbacks_of_earlier_ones(masks: Any) -> None:
    args = _problem()
    live = np.arange(20)[:, None, None] < np.arange(1, 41)[None, :, None]
    fresh = live & (np.random.default_rng(1).random((20, 40, 1)) < 0.2)
    fresh, live = (on_backend(mask) if used else None for mask, used in zip((fresh, live), masks, strict=True))
    run = lambda a: lstm(a[0], tuple(a[1:5]), a[5], a[6], fresh, live)  # noqa: E731
    value, pullback = npnets.vjp(run, args)
    gradient, held = pullback(value), bits((value, pullback(value)))
    for scale in (2.0, 3.0):
        others = tuple(a * scale for a in args)
        npnets.grad(lambda a: nnp.sum(run(a)[0] ** 2))(others)
        run(others)
    assert bits((value, gradient)) == held
    assert bits((value, pullback(value))) == held


@numpy_alone
@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.setflags(write=False),
        lambda a: setattr(a, "shape", (1, *LARGE)),
        lambda a: setattr(a, "dtype", np.int32),
    ],
)
@pytest.mark.filterwarnings("ignore:Setting the:DeprecationWarning")  # NumPy 2.5 and newer
def test_an_array_whose_shape_dtype_or_flags_were_changed_is_not_used_again(change: Any) -> None:
    held = scratch(LIKE, LARGE)
    change(held)
    del held
    for _ in range(2):
        following = scratch(LIKE, LARGE)
        assert (following.shape, following.dtype, following.flags.carray) == (LARGE, LIKE.dtype, True)


@numpy_alone
def test_a_policy_that_is_made_read_only_does_not_stop_its_training() -> None:
    adam, params = npnets.optim.adam(1e-3), {"w": np.ones((300, 300), "f")}
    state = adam.init(params)
    for _ in range(4):
        params, state = adam.update(params, params, state)
        params["w"].flags.writeable = False
    assert params["w"].shape == (300, 300)


@numpy_alone
def test_a_thread_that_ran_out_of_memory_once_still_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "_limit", 4 * LEAST_BYTES)

    def refuse(*args: Any) -> Any:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(np, "empty", refuse)
        with pytest.raises(MemoryError):
            scratch(LIKE, LARGE)
    for more in range(20):
        assert scratch(LIKE, (LARGE[0] + more,)).shape == (LARGE[0] + more,)


@numpy_alone
def test_where_references_are_not_all_counted_there_are_no_pools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "REFERENCES_ARE_COUNTED", False)
    scratch(LIKE, LARGE)
    assert not hasattr(buffers._of_thread, "slot")


each_members = pytest.mark.parametrize("members", [((), ()), ((3,), (3,)), ((), (3,)), ((3,), ())])
each_widths = pytest.mark.parametrize("widths", [(4, 5), (140, 150)])


@each_members
@each_widths
def test_outer_products_are_those_of_every_pair_of_entries_whether_few_or_many(members: Any, widths: Any) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(*lead, 1, width)).astype("f") for lead, width in zip(members, widths, strict=True))
    expected = a[..., 0, :, None] * b[..., 0, None, :]
    assert_allclose(outer(*on_backend((a, b))), expected, rtol=1e-6)


@each_members
@each_widths
def test_products_are_those_of_the_rows_and_columns_whether_few_or_many(members: Any, widths: Any) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(*members[0], widths[0], 2)), rng.normal(size=(*members[1], 2, widths[1]))
    expected = sum(a[..., :, part, None] * b[..., None, part, :] for part in (0, 1))
    assert_allclose(product(*on_backend((a, b))), expected, rtol=1e-12, atol=1e-12)
