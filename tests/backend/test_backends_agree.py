"""Results on a GPU equal those of NumPy: float32 to 1e-5, float64 to 1e-12 of an array's largest entry.

Over the tables of the other tests: every kernel, every function of `npnets.numpy`, every network, every optimizer;
values and gradients, and of kernels and functions also derivatives in forward mode and of the second order. A case that
is added to one of the tables is tested here too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import kernel_cases
import network_cases
import numpy as np
import numpy_cases
import pytest
from backends import as_numpy, on_backend, on_numpy

import npnets
import npnets.numpy as nnp
from npnets import optim

TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
each_dtype = pytest.mark.parametrize("dtype", TOLERANCE, ids=["float32", "float64"])
on_gpus = pytest.mark.needs_gpus(1)


def _assert_agree(compute: Callable[[], Any], tolerance: float) -> None:
    """Compute arrays on the running backend and on NumPy, and compare each pair relative to its largest entry."""
    found = as_numpy(npnets.tree.leaves(compute()))
    with on_numpy():
        expected = npnets.tree.leaves(compute())
    assert len(found) == len(expected) > 0
    for a, b in zip(found, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        difference = np.abs(a.astype("d") - b.astype("d")).max(initial=0.0)
        assert difference <= tolerance * max(np.abs(b).max(initial=0.0), 1.0), (a, b)


def _derivatives(fun: Callable[[Any], Any], x: list[Any]) -> list[Any]:
    """The value of a function of arrays, a cotangent of theirs, and derivatives of both in the direction of `x`."""
    value, pullback = npnets.vjp(fun, x)
    weights = on_backend(np.cos(np.arange(value.size)).reshape(value.shape).astype(value.dtype))
    second = npnets.hvp(lambda point: nnp.sum(nnp.square(fun(point)) * weights))(x, x)
    return [value, *pullback(weights), npnets.jvp(fun, x, x)[1], *second]


@on_gpus
@each_dtype
@kernel_cases.each_case
def test_kernels_agree_for_every_choice_of_differentiated_arguments(case: Any, dtype: type) -> None:
    def compute() -> list[Any]:
        arrays = case.arrays(dtype)
        *some, every = kernel_cases.subsets(arrays)
        gradients = [
            gradient
            for chosen in (some if dtype is np.float64 else [])
            for gradient in npnets.vjp(*_of_chosen(case, arrays, chosen))[1](case.fun(*arrays))
        ]
        return [*_derivatives(*_of_chosen(case, arrays, every)), *gradients]

    _assert_agree(compute, TOLERANCE[dtype])


def _of_chosen(case: Any, arrays: tuple[Any, ...], chosen: tuple[int, ...]) -> tuple[Callable[[Any], Any], list[Any]]:
    return kernel_cases.of_chosen_arrays(case.fun, arrays, chosen), [arrays[index] for index in chosen]


@on_gpus
@each_dtype
@numpy_cases.each_case
def test_functions_agree(case: Any, dtype: type) -> None:
    _assert_agree(lambda: _derivatives(lambda x: case.fun(nnp, *x), list(case.arrays(1, dtype))), TOLERANCE[dtype])


@on_gpus
@each_dtype
@network_cases.each_case
def test_networks_and_their_gradients_agree(case: Any, dtype: type) -> None:
    def compute() -> list[Any]:
        params, inputs = case.params(dtype), case.inputs(64, dtype)
        case_of_64 = case.of_rows(np.arange(64) % 4)
        loss = lambda p, x: sum(nnp.mean(nnp.square(leaf)) for leaf in case_of_64.run(p, *x))  # noqa: E731
        value, grads = npnets.value_and_grad(loss, (0, 1))(params, inputs)
        return [*case_of_64.run(params, *inputs), value, grads]

    _assert_agree(compute, TOLERANCE[dtype])


OPTIMIZERS = {
    "sgd": lambda: optim.sgd(0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "rmsprop": lambda: optim.rmsprop(0.01, momentum=0.5, weight_decay=0.01),
    "adam": lambda: optim.adam(0.01, weight_decay=0.01),
    "adam of slow means": lambda: optim.adam(0.01, betas=(0.4, 0.6)),
    "adamw": lambda: optim.adamw(0.01),
}


@on_gpus
@each_dtype
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_agree(name: str, dtype: type) -> None:
    def compute() -> Any:
        case, optimizer = network_cases.CASES["Actor"], OPTIMIZERS[name]()
        params = case.params(dtype)
        state, target = optimizer.init(params), params
        for seed in range(3):
            grads, norm = optim.clip_by_global_norm(case.params(dtype, seed + 1), 2.0)
            params, state = optimizer.update(params, grads, state)
            target = optim.soft_update(target, params, 0.3 + 0.3 * seed)
        return [
            params,
            target,
            on_backend(np.asarray(norm)),
            [part for part in state if not isinstance(part, int) and part is not None],
        ]

    _assert_agree(compute, TOLERANCE[dtype])


@pytest.mark.numpy_alone("reads the package's list of names")
def test_every_optimizer_and_every_network_is_tested() -> None:
    made = {name.split()[0] for name in OPTIMIZERS}
    without_steps = {"clip_by_global_norm", "soft_update", "cosine_schedule", "linear_schedule"}
    assert made == {name for name in optim.__all__ if name.islower()} - without_steps
    networks = {value for value in vars(npnets).values() if callable(getattr(value, "forward", None))}
    networks |= {getattr(npnets.discrete, name) for name in ("Actor", "Critic", "IntrinsicCuriosityModule")}
    assert networks <= {type(case.net) for case in network_cases.CASES.values()}
