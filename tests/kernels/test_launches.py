"""How often work is launched on a GPU: elementwise chains are one launch, and nothing is copied or waited for.

Counted on the stand-in for CuPy, where each call of a function is one launch; on a GPU some are more (a product of
several matrices, a large sum), which `benchmarks.gpu.launches` counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import standin_cupy
from kernel_cases import linear

import npnets
import npnets.numpy as nnp
from npnets import optim
from npnets.kernels.activation_formulas import FORMULAS
from npnets.kernels.activations import Activation
from npnets.kernels.layer_norm import layer_norm
from npnets.kernels.lstm import lstm

pytestmark = pytest.mark.numpy_alone("counts on the stand-in that it puts in place itself")


def _counted(fun: Callable[[], Any]) -> standin_cupy.Counts:
    """Counts of a call's second run: the first one makes kernels."""
    fun()
    before = standin_cupy.counts.snapshot()
    fun()
    return standin_cupy.counts.since(before)


@pytest.fixture(autouse=True)
def gpu() -> Any:
    """A machine with one GPU, which is the stand-in's."""
    with standin_cupy.installed(devices=1):
        yield


def _on_gpu(*shapes: tuple[int, ...]) -> Any:
    rng = np.random.default_rng(0)
    return npnets.tree.to_device(tuple(rng.normal(size=shape).astype("f") for shape in shapes), "cuda")


@pytest.mark.parametrize("name", FORMULAS)
def test_a_linear_layer_is_a_product_and_one_launch_and_its_backward_four(name: str) -> None:
    x, w, b = _on_gpu((4, 5), (5, 3), (3,))
    assert _counted(lambda: linear(x, w, b, Activation(name))).launches == 2
    value, pullback = npnets.vjp(lambda args: linear(*args, Activation(name)), (x, w, b))
    backward = _counted(lambda: pullback(value)).by_name
    assert backward == {f"npnets_{name}_backward": 1, "matmul": 2, "sum": 1}


def test_a_layer_norm_is_five_launches_and_the_cotangent_of_its_input_four() -> None:
    x, w, b = _on_gpu((4, 5), (5,), (5,))
    assert _counted(lambda: layer_norm(x, w, b)).launches == 5
    value, pullback = npnets.vjp(lambda x: layer_norm(x, w, b), x)
    assert _counted(lambda: pullback(value)).launches == 4


def test_the_elementwise_part_of_an_lstms_step_is_one_launch_and_that_of_its_backward_another() -> None:
    x, w_x, w_h, b, h = _on_gpu((3, 4, 5), (5, 8), (2, 8), (8,), (4, 2))
    value, pullback = npnets.vjp(lambda x: lstm(x, (w_x, w_h, b, b), h, h)[0], x)
    steps = _counted(lambda: lstm(x, (w_x, w_h, b, b), h, h)).by_name["npnets_lstm_step"]
    backward = _counted(lambda: pullback(value)).by_name
    assert (steps, backward["npnets_lstm_step_backward"], backward["matmul"]) == (3, 3, 3 + 1)


def test_an_update_of_adam_and_a_soft_update_are_one_launch_for_each_leaf() -> None:
    params = npnets.tree.to_device(npnets.Net(5, 2, (4, 4)).init(np.random.default_rng(0)), "cuda")
    grads = npnets.tree.map(lambda leaf: leaf * 2, params)
    for optimizer in (optim.adam(), optim.adamw()):
        state = optimizer.init(params)
        assert _counted(lambda o=optimizer, s=state: o.update(params, grads, s)).launches == 6
    assert _counted(lambda: optim.soft_update(params, grads, 0.01)).launches == 6


def test_a_learning_step_copies_nothing_between_host_and_device_but_the_norm_of_the_gradients() -> None:
    actor = npnets.Actor(npnets.Net(5, hidden_sizes=(8, 8)), 3)
    params = npnets.tree.to_device(actor.init(np.random.default_rng(0)), "cuda")
    obs, target = _on_gpu((4, 5), (4, 3))
    optimizer = optim.adam()
    state = optimizer.init(params)

    def loss(params: Any) -> Any:
        return nnp.mean((actor.forward(params, obs)[0] - target) ** 2)

    def step(limit: float | None) -> Any:
        value, grads = npnets.value_and_grad(loss)(params)
        clipped, norm = (grads, None) if limit is None else optim.clip_by_global_norm(grads, limit)
        return value, norm, optimizer.update(params=params, grads=clipped, state=state)

    for limit, copies in ((None, 0), (1.0, 1)):
        counted = _counted(lambda limit=limit: step(limit))
        assert (counted.transfers, counted.synchronizations) == (copies, copies)
    assert counted.by_name["matmul"] == 3 + 5  # the first layer's input has no cotangent
    assert counted.launches <= 64
    forward = _counted(lambda: actor.forward(params, obs))
    assert (forward.launches, forward.transfers, forward.synchronizations) == (6, 0, 0)


def test_a_bound_for_each_dimension_is_copied_to_a_gpu_once_and_not_in_each_forward_pass() -> None:
    actor = npnets.Actor(npnets.Net(5, hidden_sizes=(8, 8)), 3, max_action=(1.0, 2.0, 3.0))
    perturbation = npnets.Perturbation(npnets.Net(8, 3), (1.0, 2.0, 3.0))
    rng = np.random.default_rng(0)
    params, others = npnets.tree.to_device((actor.init(rng), perturbation.init(rng)), "cuda")
    obs, act = _on_gpu((4, 5), (4, 3))
    for call in (lambda: actor.forward(params, obs), lambda: perturbation.forward(others, obs, act)):
        assert (_counted(call).transfers, _counted(call).synchronizations) == (0, 0)
